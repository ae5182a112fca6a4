"""What has to hold between entries: imports, workflow-safe modules, supervision trees."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from actors.errors import CONFLICT, INVALID, NOT_FOUND, PERMISSION_DENIED
from actors.kinds.catalog import LUA_KINDS
from actors.kinds.modules import KNOWN, WORKFLOW, module_names
from registry import Entry, Problem, complete
from registry.faults import Path, nearest, shown

Finding = tuple[str, Problem]
_CHILD_KINDS: Final = ("process.service", "supervisor")


def check_relations(entries: Mapping[str, Entry], deleted: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong between the entries of a state, by the entry that has to be mended."""
    lua = {entry_id: entry for entry_id, entry in sorted(entries.items()) if entry.kind in LUA_KINDS}
    edges: dict[str, dict[str, Path]] = {}
    for entry_id, entry in lua.items():
        edges[entry_id] = {}
        for path, target in _imports(entry):
            problem = _import_problem(entry_id, path, target, entries, lua, deleted)
            if problem is None:
                edges[entry_id][target] = path
            else:
                yield problem
    for cycle in _cycles(edges):
        first, then = cycle[0], cycle[1]
        got = f"an import cycle: {' -> '.join(cycle)}"
        yield first, Problem(edges[first][then], got, "imports that end")
    yield from _workflow_modules(lua, edges)
    yield from _trees(entries)


def _imports(entry: Entry) -> Iterator[tuple[Path, str]]:
    imports = entry.data.get("imports") if isinstance(entry.data, dict) else None
    for alias, target in (imports if isinstance(imports, dict) else {}).items():
        if isinstance(target, str) and ":" in target:
            yield ("imports", alias), target


def _import_problem(
    entry_id: str,
    path: Path,
    target: str,
    entries: Mapping[str, Entry],
    lua: Mapping[str, Entry],
    deleted: Collection[str],
) -> Finding | None:
    if target in lua:
        return None
    if target in deleted:
        field = ".".join(str(step) for step in path)
        got = f"a delete while {entry_id} imports it ({field})"
        return target, Problem((), got, "a change set in which its importers go too", kind=CONFLICT)
    if target in entries:
        got = f"{target!r} of kind {entries[target].kind}"
        return entry_id, Problem(path, got, "the id of a Lua entry", kind=INVALID)
    return entry_id, Problem(
        path, shown(target), "the id of a Lua entry", nearest(target, lua.keys() - {entry_id}), kind=NOT_FOUND
    )


def _cycles(edges: Mapping[str, Collection[str]]) -> Iterator[list[str]]:
    """Yield each cycle once as the way around it, first and last the same; found by depth-first search."""
    done: set[str] = set()
    for root in edges:
        if root in done:
            continue
        way: list[str] = [root]
        on_way = {root}
        work = [iter(edges[root])]
        while work:
            target = next(work[-1], None)
            if target is None:
                work.pop()
                left = way.pop()
                on_way.discard(left)
                done.add(left)
            elif target in on_way:
                yield [*way[way.index(target) :], target]
            elif target not in done:
                way.append(target)
                on_way.add(target)
                work.append(iter(edges.get(target, ())))


def _workflow_modules(lua: Mapping[str, Entry], edges: Mapping[str, Mapping[str, Path]]) -> Iterator[Finding]:
    """Yield the modules of workflows, their own or those of libraries, that are not safe to replay."""
    for entry_id, entry in lua.items():
        if entry.kind != "workflow.lua":
            continue
        for path, name in module_names(entry.data):
            if _refused(name):
                yield entry_id, _unsafe(path, f"module {name!r}, which does not have any allowed class")
        for first, path in edges[entry_id].items():
            for library in _reachable(first, edges):
                for _, name in module_names(lua[library].data):
                    if _refused(name):
                        got = f"{library!r}, whose module {name!r} does not have any allowed class"
                        yield entry_id, _unsafe(path, got)


def _refused(name: str) -> bool:
    return name in KNOWN and name not in WORKFLOW


def _unsafe(path: Path, got: str) -> Problem:
    return Problem(path, got, "modules that a workflow may use", kind=PERMISSION_DENIED)


def _reachable(start: str, edges: Mapping[str, Collection[str]]) -> list[str]:
    found = [start]
    for entry_id in found:
        found.extend(target for target in edges.get(entry_id, ()) if target not in found)
    return found


def _trees(entries: Mapping[str, Entry]) -> Iterator[Finding]:
    parents: dict[str, str] = {}
    edges: dict[str, dict[str, Path]] = {}
    for entry_id, entry in sorted(entries.items()):
        if entry.kind != "supervisor":
            continue
        edges[entry_id] = {}
        for path, child in _children(entry):
            problem = _child_problem(path, child, entries, edges[entry_id], parents.get(child))
            if problem is not None:
                yield entry_id, problem
                continue
            parents[child] = entry_id
            edges[entry_id][child] = path
            yield from _child_lifecycle(entries[child], entry_id)
    trees = {entry_id: [child for child in children if child in edges] for entry_id, children in edges.items()}
    for cycle in _cycles(trees):
        got = f"a supervisor above itself: {' -> '.join(cycle)}"
        yield cycle[-2], Problem(edges[cycle[-2]][cycle[-1]], got, "a tree")


def _children(entry: Entry) -> Iterator[tuple[Path, str]]:
    children = entry.data.get("children") if isinstance(entry.data, dict) else None
    for index, child in enumerate(children if isinstance(children, list) else ()):
        ref = child.get("id") if isinstance(child, dict) else child
        if isinstance(ref, str) and ref.strip():
            path: Path = ("children", index, "id") if isinstance(child, dict) else ("children", index)
            yield path, complete(ref, entry.namespace)


def _child_problem(
    path: Path, child: str, entries: Mapping[str, Entry], siblings: Collection[str], parent: str | None
) -> Problem | None:
    expected = f"the id of a {' or '.join(_CHILD_KINDS)}"
    found = entries.get(child)
    if found is None:
        known = [entry_id for entry_id, entry in entries.items() if entry.kind in _CHILD_KINDS]
        return Problem(path, shown(child), expected, nearest(child, known), kind=NOT_FOUND)
    if found.kind not in _CHILD_KINDS:
        return Problem(path, f"{child!r} of kind {found.kind}", expected)
    if child in siblings:
        return Problem(path, f"{child!r} a second time", "each child once")
    if parent is not None:
        return Problem(path, f"{child!r}, which is a child of {parent}", "one parent for each child")
    return None


def _child_lifecycle(child: Entry, parent: str) -> Iterator[Finding]:
    """Yield the settings of a child that would contradict its supervisor's restart intensity."""
    lifecycle: Any = child.data.get("lifecycle") if isinstance(child.data, dict) else None
    if not isinstance(lifecycle, dict):
        return
    restart = lifecycle.get("restart")
    paths: list[Path] = []
    if isinstance(restart, dict) and restart.get("max_attempts") is not None:
        paths.append(("lifecycle", "restart", "max_attempts"))
    if lifecycle.get("stable_threshold") is not None:
        paths.append(("lifecycle", "stable_threshold"))
    for path in paths:
        got = f"a limit of its own in a child of {parent}"
        expected = f"none, since intensity and period of {parent} hold"
        yield child.id, Problem(path, got, expected)
