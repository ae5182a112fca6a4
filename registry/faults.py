"""What is wrong in a file or an entry, said so that its author can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Path = tuple[str | int, ...]
"""The way to a field inside an entry: map keys and list indexes, outermost first."""

_SHOWN = 60


class Severity(StrEnum):
    """How much a fault weighs: a fault refuses what holds it, a warning does not."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of one entry before it is known where the entry stands.

    Attributes:
        path: the field, such as ``("lifecycle", "restart", "jitter")``; empty for the entry as a whole.
        got: what is there, as `shown` writes it.
        expected: what should be there; empty when `got` is a whole sentence.
        hint: what the author may have meant, such as ``did you mean 'method'?``.
        severity: unknown fields are warnings, everything else is a fault.
        kind: the class of the error that an apply reports for it.
    """

    path: Path
    got: str
    expected: str
    hint: str = ""
    severity: Severity = Severity.FAULT
    kind: str = "Invalid"


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake with its place; ``str()`` gives ``file:line: entry.field: got X, expected Y``.

    Attributes:
        file: the file as the user would type it; empty when the entry came from no file.
        line: counted from 1; 0 when unknown.
        entry: the id of the entry, or ``entry[2]`` while it has none; empty for a fault of the file.
        field: the field with dots between its parts, empty for the whole entry.
    """

    severity: Severity
    file: str
    line: int
    entry: str
    field: str
    got: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        subject = ".".join(part for part in (self.entry, self.field) if part)
        text = f"got {self.got}, expected {self.expected}" if self.expected else self.got
        if self.hint:
            text = f"{text}; {self.hint}"
        return ": ".join(part for part in (place, subject, text) if part)


def dotted(path: Path) -> str:
    """Write a path as text: ``lifecycle.requires.0``."""
    return ".".join(str(part) for part in path)


def shown(value: Any) -> str:
    """Write a value as a fault shows it: short, and a container only by its sort."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if not value.strip():
            return "an empty text"
        text = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
        return repr(text)
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, (list, tuple)):
        return "a list"
    return str(value)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the hint ``did you mean 'x'?`` for the known name that is closest, or an empty text."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else ""


def one_of(names: Iterable[str]) -> str:
    """Write a choice: ``'a', 'b' or 'c'``."""
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
