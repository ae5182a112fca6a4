"""The Lua modules by name: which exist, which a workflow may use (spec lua-api.md §28, workflows.md §3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from actors.errors import CONFLICT, NOT_FOUND
from registry import Problem
from registry.faults import Path, nearest, shown

GLOBALS: Final = frozenset({"process", "channel", "payload", "errors", "coroutine", "table", "string", "math", "os"})
"""Always there; naming one in ``modules:`` is harmless."""

CORE: Final = frozenset(
    {
        *("funcs", "time", "uuid", "ctx", "events", "json", "logger", "registry", "workflow", "crypto", "hash"),
        *("base64", "env", "pg", "payload", "errors"),
    }
)
LATER: Final = frozenset({"yaml", "store", "queue", "security", "system", "metrics", "io", "contract"})
OUT_OF_SCOPE: Final = frozenset(
    {
        *("sql", "http", "http_client", "fs", "exec", "websocket", "template", "html", "excel", "cloudstorage"),
        *("treesitter", "eval", "tty", "hub", "cdc", "stream", "compress", "text", "expr"),
    }
)
KNOWN: Final = GLOBALS | CORE | LATER
WORKFLOW: Final = GLOBALS | frozenset(
    {
        *("funcs", "time", "uuid", "ctx", "crypto", "workflow", "json", "base64", "hash", "yaml", "contract"),
        *("payload", "errors", "logger"),
    }
)
"""What ``workflow.lua`` may use, directly or through a library."""


def check_names(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the ``modules`` and ``imports`` of one Lua entry."""
    targets: dict[str, Path] = {}
    aliases: dict[str, str] = {}
    modules = data.get("modules")
    for index, name in enumerate(modules if isinstance(modules, list) else ()):
        if isinstance(name, str):
            yield from _module(name, ("modules", index))
            yield from _again(name, name, ("modules", index), targets, aliases)
    imports = data.get("imports")
    for alias, target in (imports if isinstance(imports, dict) else {}).items():
        path: Path = ("imports", alias)
        if not isinstance(alias, str) or not alias.strip():
            yield Problem(("imports",), shown(alias), "an alias that is not empty")
        elif isinstance(target, str):
            if not target.strip():
                yield Problem(path, shown(target), "the id of a Lua entry or the name of a module")
            elif ":" not in target:
                yield from _module(target, path)
            yield from _again(alias, target, path, targets, aliases)


def module_names(data: Any) -> Iterator[tuple[Path, str]]:
    """Yield the built-in modules that an entry names, with the field that names them."""
    if not isinstance(data, dict):
        return
    modules, imports = data.get("modules"), data.get("imports")
    for index, name in enumerate(modules if isinstance(modules, list) else ()):
        if isinstance(name, str):
            yield ("modules", index), name
    for alias, target in (imports if isinstance(imports, dict) else {}).items():
        if isinstance(target, str) and ":" not in target:
            yield ("imports", alias), target


def _module(name: str, path: Path) -> Iterator[Problem]:
    if name in KNOWN:
        return
    if not name.strip():
        yield Problem(path, shown(name), "the name of a module")
    elif ":" in name:
        yield Problem(path, shown(name), "the name of a module", "entries stand under 'imports'")
    elif name in OUT_OF_SCOPE:
        yield Problem(path, shown(name), "the name of a module", "this runtime does not have it", kind=NOT_FOUND)
    else:
        yield Problem(path, shown(name), "the name of a module", nearest(name, KNOWN), kind=NOT_FOUND)


def _again(alias: str, target: str, path: Path, targets: dict[str, Path], aliases: dict[str, str]) -> Iterator[Problem]:
    """Note one name; yield a problem when its target or its alias was there before."""
    if target in targets:
        yield Problem(path, f"{target!r} a second time", "each module and entry once", kind=CONFLICT)
    elif alias in aliases:
        got = f"{alias!r}, which is {aliases[alias]!r} already"
        yield Problem(path, got, "one meaning for each name", kind=CONFLICT)
    targets.setdefault(target, path)
    aliases.setdefault(alias, target)
