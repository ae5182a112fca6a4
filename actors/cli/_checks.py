"""What `tutela lint` checks beyond the kinds: references that matter at run time only, and Lua that must compile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from actors.kinds import LUA_KINDS
from actors.vm.frontend import FrontEnd, SourceError
from registry import Entry, Fault, Registry, Severity, complete
from registry.faults import nearest, shown

_PROCESSES: Final = ("process.lua", "process.python", "workflow.lua")
_HOSTS: Final = ("process.host", "temporal.worker", "terminal.host")
# kind -> field -> kinds of entries that it may name
_REFERENCES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "process.service": {"process": _PROCESSES, "host": _HOSTS},
    "temporal.worker": {"client": ("temporal.client",)},
}


def check(loaded: Registry) -> list[Fault]:
    """Return what is wrong with a loaded app although it could be started, in the order of files and lines."""
    entries = {entry.id: entry for entry in loaded.find({})}
    faults = [fault for entry in entries.values() for fault in _references(loaded, entry, entries)]
    front_end = FrontEnd()
    for entry in entries.values():
        if entry.kind in LUA_KINDS:
            faults += _lua(loaded, entry, front_end)
    return sorted(faults, key=lambda fault: (fault.file, fault.line, fault.entry))


def _references(loaded: Registry, entry: Entry, entries: dict[str, Entry]) -> Iterator[Fault]:
    if not isinstance(entry.data, dict):
        return
    for field, kinds in _REFERENCES.get(entry.kind, {}).items():
        yield from _reference(loaded, entry, field, entry.data.get(field), entries, kinds)
    lifecycle = entry.data.get("lifecycle")
    if not isinstance(lifecycle, dict):
        return
    for name in ("requires", "depends_on"):
        for index, value in enumerate(lifecycle.get(name) or ()):
            yield from _reference(loaded, entry, f"lifecycle.{name}.{index}", value, entries, ())


def _reference(
    loaded: Registry, entry: Entry, field: str, value: Any, entries: dict[str, Entry], kinds: tuple[str, ...]
) -> Iterator[Fault]:
    if not isinstance(value, str) or "${" in value:
        return
    target = entries.get(complete(value, entry.namespace))
    known = [entry.id for entry in entries.values() if not kinds or entry.kind in kinds]
    expected = f"the id of a {_alternatives(kinds)}" if kinds else "the id of an entry"
    if target is None:
        got, hint = shown(value), nearest(complete(value, entry.namespace), known)
    elif kinds and target.kind not in kinds:
        got, hint = f"{value!r} of kind {target.kind}", ""
    else:
        return
    file, line = loaded.place_of(entry.id, field)
    yield Fault(Severity.FAULT, file, line, entry.id, field, got, expected, hint)


def _alternatives(kinds: tuple[str, ...]) -> str:
    return " or ".join(part for part in (", ".join(kinds[:-1]), kinds[-1]) if part)


def _lua(loaded: Registry, entry: Entry, front_end: FrontEnd) -> Iterator[Fault]:
    source = entry.data.get("source")
    if not isinstance(source, str) or "${" in source:
        return
    place = loaded.source_of(entry.id)
    try:
        front_end.translate(source, place.name)
    except SourceError as error:
        line = place.first_line + error.line - 1
        yield Fault(Severity.FAULT, place.file, line, entry.id, "source", error.message, "")
