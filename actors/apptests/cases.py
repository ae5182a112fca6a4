"""Which tests an app has, and in which order they run (spec cli.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from registry import Entry, Fault, FaultsError, Registry, Severity, parse_duration
from registry.faults import shown

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds that a test may take unless its `meta.timeout` says otherwise."""

_KINDS: Final = ("function.lua", "function.python")


@dataclass(frozen=True, slots=True)
class Case:
    """One test.

    Attributes:
        id: the id of the function. name: what is shown, `meta.name` or the id. suite: `meta.suite`, may be empty.
        order: `meta.order`. timeout: seconds.
        file, line: where the entry stands; ``"", 0`` when it came from no file.
    """

    id: str
    name: str
    suite: str = ""
    order: float = 0
    timeout: float = DEFAULT_TIMEOUT
    file: str = ""
    line: int = 0


def find_cases(entries: Registry, pattern: str = "") -> list[Case]:
    """Return the tests whose id contains `pattern`: by suite, then order, then id.

    Raises:
        FaultsError: what their meta holds cannot be understood.
    """
    cases = []
    faults: list[Fault] = []
    for entry in entries.find({}):
        if entry.kind in _KINDS and entry.meta and entry.meta.get("type") == "test" and pattern in entry.id:
            cases.append(_case(entries, entry, faults))
    if faults:
        raise FaultsError(faults)
    return sorted(cases, key=lambda case: (case.suite, case.order, case.id))


def _case(entries: Registry, entry: Entry, faults: list[Fault]) -> Case:
    meta = entry.meta

    def refuse(field: str, value: Any, expected: str) -> None:
        file, line = entries.place_of(entry.id, f"meta.{field}")
        faults.append(Fault(Severity.FAULT, file, line, entry.id, f"meta.{field}", shown(value), expected))

    for field in ("suite", "name"):
        value = meta.get(field)
        if value is not None and not isinstance(value, str):
            refuse(field, value, "a text")
    order = meta.get("order") or 0
    if isinstance(order, bool) or not isinstance(order, int | float):
        refuse("order", order, "a number")
        order = 0
    timeout = DEFAULT_TIMEOUT
    if meta.get("timeout") is not None:
        try:
            timeout = parse_duration(meta["timeout"])
        except ValueError:
            timeout = 0.0
        if timeout <= 0:
            refuse("timeout", meta["timeout"], "a duration above 0, such as '5s'")
    file, line = entries.place_of(entry.id)
    name, suite = meta.get("name") or entry.id, meta.get("suite") or ""
    return Case(entry.id, str(name), str(suite), order, timeout, file, line)
