"""Reading an app folder: which files define entries, and what stands in them (spec registry.md §1-4)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from registry._definitions import Definition, read_definitions, subject
from registry._documents import DocumentError, Place, read_json, read_yaml
from registry._lock import source_root
from registry.entry import Entry
from registry.errors import FaultsError
from registry.faults import Fault, Path, Severity
from registry.origins import Origin, SourceRef, source_ref
from registry.overrides import disable_entries, override_entries

_log = logging.getLogger(__name__)
_READERS: Final = {".yaml": read_yaml, ".yml": read_yaml, ".json": read_json}
_NOT_WALKED: Final = frozenset({"node_modules"})
_CONFIGURATION: Final = ".wippy.yaml"


@dataclass(frozen=True, slots=True)
class Folder:
    """What an app folder defines.

    Attributes:
        entries: in the order of files (by name, those of a folder before those below it) and lines.
        origins: the place of each entry, by id.
        faults: what is wrong with the files; in lenient mode broken files are dropped and their faults are warnings.
        root: the source root, as the user would type it.
    """

    entries: tuple[Entry, ...] = ()
    origins: dict[str, Origin] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    root: str = ""

    def source_of(self, entry: Entry, field: str = "source") -> SourceRef:
        """Say how errors in an embedded text, such as Lua, name their file and line."""
        return source_ref(entry, self.origins.get(entry.id), (field,))

    def place_of(self, entry: Entry, path: Path) -> tuple[str, int]:
        """Return the file and line of a field of an entry; ``("", 0)`` when it came from no file."""
        origin = self.origins.get(entry.id)
        return ("", 0) if origin is None else (origin.file, origin.at(path).line)


def load_folder(
    path: str | os.PathLike[str],
    *,
    lenient: bool = False,
    lock_file: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    disable: Mapping[str, Iterable[str]] | None = None,
) -> Folder:
    """Read all definitions of an app folder.

    Entries are read, not validated against their kinds: `Registry.load` does both.

    Args:
        path: the app folder. With a ``wippy.lock`` in it, its ``directories.src`` is read; else ``path/src`` when
            that exists, else `path` itself.
        lenient: drop a broken file with a logged warning instead of refusing the folder.
        lock_file: another lock file, relative to `path`; it must exist.
        overrides: values for fields of entries by ``namespace:name:path``, see `registry.overrides`.
        disable: patterns of ``namespaces`` and ``entries`` to leave out; that happens before the overrides.

    Raises:
        FaultsError: listing every fault of every file.
    """
    folder = scan_folder(path, lenient=lenient, lock_file=lock_file, overrides=overrides, disable=disable)
    grave = [fault for fault in folder.faults if fault.severity is Severity.FAULT]
    if grave:
        raise FaultsError(grave)
    return folder


def scan_folder(
    path: str | os.PathLike[str],
    *,
    lenient: bool = False,
    lock_file: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    disable: Mapping[str, Iterable[str]] | None = None,
) -> Folder:
    """Read an app folder as `load_folder` does, but return its faults instead of raising them."""
    root, faults = source_root(os.fspath(path), lock_file)
    if faults:
        return Folder(faults=tuple(faults), root=root)
    texts: dict[str, str] = {}
    entries: list[Entry] = []
    origins: dict[str, Origin] = {}
    for file in _files(root):
        definitions, found = _read(file, root, texts)
        if found and lenient:
            for fault in found:
                _log.warning("skipping a broken file: %s", fault)
            faults.extend(_as_warning(fault) for fault in found)
            continue
        faults.extend(found)
        for definition in definitions:
            entry, place = definition.entry, definition.place
            first = origins.get(entry.id)
            if first is None:
                entries.append(entry)
                origins[entry.id] = Origin(entry, file, root, place, definition.wrapped)
            else:
                got = f"an id that {first.file}:{first.place.line} defines already"
                line = place.at(("name",)).line
                faults.append(Fault(Severity.FAULT, file, line, entry.id, "", got, "an id of its own"))
    for change, wanted in ((disable_entries, disable), (override_entries, overrides)):
        if wanted:
            entries, found = change(entries, origins, wanted)
            faults.extend(found)
    return Folder(tuple(entries), origins, tuple(faults), root)


def _files(root: str) -> Iterator[str]:
    """Yield the candidate files below the source root, sorted, so that loading is the same everywhere."""
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _NOT_WALKED and not name.startswith("."))
        for name in sorted(files):
            if os.path.splitext(name)[1] in _READERS and name != _CONFIGURATION:
                yield os.path.normpath(os.path.join(directory, name))


def _read(file: str, root: str, texts: dict[str, str]) -> tuple[list[Definition], list[Fault]]:
    """Return the entries of one file and its faults."""
    text, problem = _text_of(file)
    if problem:
        return [], [_fault(file, 0, problem, "a readable file of UTF-8 text")]
    troubles: list[tuple[Place, str]] = []

    def include(value: str, place: Place) -> str:
        target, trouble = _target(value, file, root)
        if not trouble:
            if target not in texts:
                texts[target], trouble = _text_of(os.path.join(root, target))
            if not trouble and not texts[target]:
                trouble = "an empty file"
        if trouble:
            troubles.append((place, f"{value!r}: {trouble}"))
            return value
        place.source = target
        place.text_line = 1
        return texts[target]

    try:
        value, place = _READERS[os.path.splitext(file)[1]](text, include)
    except DocumentError as error:
        return [], [_fault(file, error.line, error.problem, "")]
    if not isinstance(value, dict) or _blank(value.get("namespace")):
        return [], []
    definitions, found = read_definitions(value, place, file)
    for trouble, got in troubles:
        entry, field = subject(value, place.path_to(trouble) or ())
        expected = "a file of text below the source root"
        found.append(Fault(Severity.FAULT, file, trouble.line, entry, field, got, expected))
    return definitions, sorted(found, key=lambda fault: fault.line)


def _text_of(path: str) -> tuple[str, str]:
    """Return the text of a file and no problem, or no text and what is wrong with it."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            return stream.read().replace("\r\n", "\n"), ""
    except UnicodeDecodeError as error:
        return "", f"bytes that are not UTF-8 (at {error.start})"
    except OSError as error:
        return "", (error.strerror or str(error)).lower()
    except ValueError as error:
        return "", str(error)


def _target(value: str, file: str, root: str) -> tuple[str, str]:
    """Return the path of a ``file://`` value relative to the source root, or what is wrong with it."""
    wanted = value[len("file://") :]
    if not wanted.strip("/"):
        return "", "no path after 'file://'"
    base = "" if wanted.startswith("/") else os.path.relpath(os.path.dirname(file) or ".", root)
    target = os.path.normpath(os.path.join(base, wanted.lstrip("/")))
    if target == ".." or target.startswith(".." + os.sep):
        return "", "path traversal detected"
    return str(PurePosixPath(*target.split(os.sep))), ""


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _fault(file: str, line: int, got: str, expected: str) -> Fault:
    return Fault(Severity.FAULT, file, line, "", "", got, expected)


def _as_warning(fault: Fault) -> Fault:
    return Fault(
        Severity.WARNING, fault.file, fault.line, fault.entry, fault.field, fault.got, fault.expected, fault.hint
    )
