"""Where entries come from: the file and line of every field, and of the Lua text that they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry._documents import Place
from registry.entry import Entry
from registry.faults import Fault, Path, Problem, Severity, dotted


@dataclass(frozen=True, slots=True)
class SourceRef:
    """How errors in an embedded text name their place.

    Attributes:
        name: ``ledger.lua``, relative to the source root, for a ``file://`` value; the entry's id for inline text.
        file: the file that holds the text, as the user would type it; empty when the entry came from no file.
        first_line: the line of `file` on which the text begins; 1 for a file of its own.
    """

    name: str
    file: str
    first_line: int


@dataclass(frozen=True, slots=True)
class Origin:
    """The place of one loaded entry.

    Attributes:
        entry: the entry as it was loaded; an entry that replaced it since has no origin.
        file: the YAML or JSON file, as the user would type it.
        root: the source root, as the user would type it.
        place: where the entry and its fields stand.
        wrapped: the entry has a ``data`` key that holds its data.
        overridden: fields (paths in data, or beginning with ``meta`` or ``kind``) that an override gave.
    """

    entry: Entry
    file: str
    root: str
    place: Place
    wrapped: bool = False
    overridden: Mapping[Path, str] = field(default_factory=dict)

    def at(self, path: Path) -> Place:
        """Return the place of a field of the data, or of ``("meta", …)``, ``("kind",)``, ``("name",)``."""
        if self.wrapped and path and path[0] not in ("meta", "kind", "name"):
            path = ("data", *path)
        return self.place.at(path)

    def override_of(self, path: Path) -> str:
        """Return the key of the override that gave a field, or an empty text."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.overridden:
                return self.overridden[path[:length]]
        return ""


def locate(problem: Problem, entry_id: str, origin: Origin | None, *, strict: bool = False) -> Fault:
    """Make a fault of a problem: with its place, and as heavy as `strict` wants it."""
    file, line = "", 0
    if origin is not None:
        key = origin.override_of(problem.path)
        file, line = (f"override {key}", 0) if key else (origin.file, origin.at(problem.path).line)
    severity = Severity.FAULT if strict else problem.severity
    return Fault(severity, file, line, entry_id, dotted(problem.path), problem.got, problem.expected, problem.hint)


def source_ref(entry: Entry, origin: Origin | None, path: Path) -> SourceRef:
    """Say how errors in the text at `path` name their place."""
    if origin is None or origin.entry is not entry or origin.override_of(path):
        return SourceRef(entry.id, "", 1)
    place = origin.at(path)
    if place.source:
        separator = "" if origin.root in ("", ".") else f"{origin.root}/"
        return SourceRef(place.source, f"{separator}{place.source}", 1)
    return SourceRef(entry.id, origin.file, place.text_line or place.line)
