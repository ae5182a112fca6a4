"""The meta keys that mean something to the runtime (spec registry.md §2.1); all others are free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from registry import Entry, Problem
from registry.faults import Path, shown


def check_meta(entry: Entry) -> Iterator[Problem]:
    """Yield what is wrong with the meta of an entry."""
    meta = entry.meta
    if not meta:
        return
    listed = meta.get("depends_on")
    if listed is not None and not _texts(listed):
        yield Problem(("meta", "depends_on"), shown(listed), "a list of entry ids")
    if entry.kind.startswith(("process.", "workflow.")):
        yield from _text(meta, "default_host", ("meta",), "the id of a host")
    if entry.kind.endswith((".lua", ".python")):
        yield from _blocks(meta)
    if entry.kind in ("process.lua", "process.python") and meta.get("command") is not None:
        yield from _command(meta["command"])


def _command(command: Any) -> Iterator[Problem]:
    path: Path = ("meta", "command")
    if not isinstance(command, dict):
        yield Problem(path, shown(command), "a map with a name")
        return
    name = command.get("name")
    if not isinstance(name, str) or not name.strip():
        yield Problem((*path, "name"), shown(name), "the name of the command")
    yield from _text(command, "short", path, "one line of text")
    yield from _text(command, "use_case", path, "a text such as 'run' or 'test'")
    if command.get("main") is not None and not isinstance(command["main"], bool):
        yield Problem((*path, "main"), shown(command["main"]), "true or false")


def _blocks(meta: Any) -> Iterator[Problem]:
    options, temporal = meta.get("options"), meta.get("temporal")
    if options is not None and not isinstance(options, dict):
        yield Problem(("meta", "options"), shown(options), "a map of options")
    if temporal is None:
        return
    if not isinstance(temporal, dict):
        yield Problem(("meta", "temporal"), shown(temporal), "a map with 'workflow' or 'activity'")
        return
    for part in ("workflow", "activity"):
        block = temporal.get(part)
        path: Path = ("meta", "temporal", part)
        if isinstance(block, dict):
            yield from _text(block, "worker", path, "the id of a worker")
            yield from _text(block, "name", path, "a text")
        elif block is not None:
            yield Problem(path, shown(block), "a map with a worker")


def _text(fields: Any, name: str, path: Path, expected: str) -> Iterator[Problem]:
    value = fields.get(name)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        yield Problem((*path, name), shown(value), expected)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
