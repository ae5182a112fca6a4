"""What `tutela lint` checks beyond the kinds: references that matter at run time only, and Lua that must compile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from actors.definitions import source_faults
from registry import Entry, Fault, Folder, Severity, complete
from registry.faults import Path, dotted, nearest, shown

_PROCESSES: Final = ("process.lua", "process.python", "workflow.lua")
_HOSTS: Final = ("process.host", "temporal.worker", "terminal.host")
# kind -> field -> kinds of entries that it may name
_REFERENCES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "process.service": {"process": _PROCESSES, "host": _HOSTS},
    "temporal.worker": {"client": ("temporal.client",)},
}


def check(folder: Folder) -> list[Fault]:
    """Return what is wrong with an app beyond its entries one by one. References are not looked at while files are
    broken: what they name may be in these."""
    faults = source_faults(folder)
    if all(fault.severity is not Severity.FAULT for fault in folder.faults):
        entries = {entry.id: entry for entry in folder.entries}
        faults += [fault for entry in entries.values() for fault in _references(folder, entry, entries)]
    return faults


def _references(folder: Folder, entry: Entry, entries: dict[str, Entry]) -> Iterator[Fault]:
    if not isinstance(entry.data, dict):
        return
    for field, kinds in _REFERENCES.get(entry.kind, {}).items():
        yield from _reference(folder, entry, (field,), entry.data.get(field), entries, kinds)
    lifecycle = entry.data.get("lifecycle")
    if not isinstance(lifecycle, dict):
        return
    for name in ("requires", "depends_on"):
        named = lifecycle.get(name)
        for index, value in enumerate(named if isinstance(named, list | tuple) else ()):
            yield from _reference(folder, entry, ("lifecycle", name, index), value, entries, ())


def _reference(
    folder: Folder, entry: Entry, path: Path, value: Any, entries: dict[str, Entry], kinds: tuple[str, ...]
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
    file, line = folder.place_of(entry, path)
    yield Fault(Severity.FAULT, file, line, entry.id, dotted(path), got, expected, hint)


def _alternatives(kinds: tuple[str, ...]) -> str:
    return " or ".join(part for part in (", ".join(kinds[:-1]), kinds[-1]) if part)
