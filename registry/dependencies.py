"""References between entries, and the order that follows from them (spec registry.md §7)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from registry.entry import Entry
from registry.ids import complete
from registry.placeholders import names

_META: Final = tuple(
    path.split(".")
    for path in (
        "parent",
        "depends_on.*",
        "groups.*",
        "server",
        "router",
        "temporal.activity.worker",
        "temporal.workflow.worker",
    )
)
_DATA: Final = tuple(
    path.split(".")
    for path in (
        "host",
        "process",
        "func",
        "client",
        "driver",
        "queue",
        "dead_letter.queue",
        "storage",
        "storages.*",
        "store",
        "token_store",
        "env",
        "set",
        "fs",
        "config",
        "groups",
        "server",
        "middleware",
        "children.*",
        "children.*.id",
        "*.depends_on",
        "lifecycle.requires.*",
        "lifecycle.depends_on.*",
        "lifecycle.security.policies.*",
        "lifecycle.security.groups.*",
        "contracts.*.contract",
        "contracts.*.methods.*",
    )
)
_BY_FIRST: Final[dict[str, list[list[str]]]] = {}
for _path in _DATA:
    _BY_FIRST.setdefault(_path[0], []).append(_path[1:])


def references(entry: Entry) -> Iterator[str]:
    """Yield what an entry refers to, completed with its namespace, whether or not it exists."""
    namespace = entry.namespace
    meta, data = entry.meta, entry.data
    if meta:
        for path in _META:
            for ref in _texts(meta, path):
                yield complete(ref, namespace)
    if not isinstance(data, dict):
        return
    for key, value in data.items():
        for rest in _BY_FIRST.get(key, ()):
            for ref in _texts(value, rest):
                yield complete(ref, namespace)
        if isinstance(value, dict) and "depends_on" in value:
            for ref in _texts(value["depends_on"], []):
                yield complete(ref, namespace)
    imports = data.get("imports")
    if isinstance(imports, dict):
        yield from (ref for ref in imports.values() if isinstance(ref, str) and ":" in ref)


def variables(entry: Entry) -> Iterator[str]:
    """Yield the variables that an entry names: by placeholders and by fields that end in ``_env``."""
    yield from names(entry.data)
    for part in (entry.meta, entry.data):
        if isinstance(part, dict):
            yield from _env_fields(part)


def _env_fields(fields: Mapping[Any, Any]) -> Iterator[str]:
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from _env_fields(value)
        elif isinstance(value, str) and isinstance(key, str) and key.endswith("_env"):
            yield value


def _texts(value: Any, path: list[str]) -> Iterator[str]:
    """Yield the texts at a path; where it ends at a list or a map, the texts in that."""
    if not path:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, str))
    elif path[0] == "*":
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for item in items:
            yield from _texts(item, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _texts(value[path[0]], path[1:])


class Dependencies:
    """What every entry of a state depends on, directly; references to nothing are left out.

    Args:
        entries: the state.
    """

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._public = {
            entry.data["variable"]: entry.id
            for entry in entries.values()
            if entry.kind == "env.variable"
            and isinstance(entry.data, dict)
            and isinstance(entry.data.get("variable"), str)
        }

    def of(self, entry: Entry) -> set[str]:
        """Return the ids of the entries that this one depends on."""
        known = self._entries
        found = {ref for ref in references(entry) if ref in known}
        for name in variables(entry):
            target = self._public.get(name) or complete(name, entry.namespace)
            if target in known:
                found.add(target)
        found.discard(entry.id)
        return found


def dependency_order(entries: Mapping[str, Entry], of: Iterable[str] | None = None) -> list[str]:
    """Order ids so that what an entry depends on comes before it; ties, and what is in a cycle, by id.

    Args:
        entries: the state in which references are looked up.
        of: the ids to order; all when not given.
    """
    wanted = set(entries if of is None else of)
    scan = Dependencies(entries)
    return _order({entry_id: scan.of(entries[entry_id]) & wanted for entry_id in wanted})


def _order(needs: dict[str, set[str]]) -> list[str]:
    group = _groups(needs)
    waiting: dict[str, set[str]] = {}
    members: dict[str, list[str]] = {}
    for entry_id in sorted(needs):
        leader = group[entry_id]
        members.setdefault(leader, []).append(entry_id)
        waiting.setdefault(leader, set()).update(group[need] for need in needs[entry_id])
    followers: dict[str, list[str]] = {}
    for leader, leaders in waiting.items():
        leaders.discard(leader)
        for need in leaders:
            followers.setdefault(need, []).append(leader)
    ready = [leader for leader, leaders in waiting.items() if not leaders]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        leader = heapq.heappop(ready)
        order.extend(members[leader])
        for follower in followers.get(leader, ()):
            waiting[follower].discard(leader)
            if not waiting[follower]:
                heapq.heappush(ready, follower)
    return order


def _groups(needs: dict[str, set[str]]) -> dict[str, str]:
    """Name each entry's cycle by the smallest id in it; an entry outside cycles is its own (Tarjan, iterative)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    group: dict[str, str] = {}
    for root in needs:
        if root in index:
            continue
        work: list[tuple[str, Iterator[str]]] = [(root, iter(needs[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    cycle: list[str] = []
                    while not cycle or cycle[-1] != node:
                        cycle.append(stack.pop())
                    on_stack.difference_update(cycle)
                    group.update(dict.fromkeys(cycle, min(cycle)))
            elif target not in index:
                index[target] = low[target] = len(index)
                stack.append(target)
                on_stack.add(target)
                work.append((target, iter(needs[target])))
            elif target in on_stack:
                low[node] = min(low[node], index[target])
    return group
