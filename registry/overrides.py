"""Changing and leaving out loaded entries before they are validated (spec cli.md §5.1 disable, §5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from registry.entry import Entry
from registry.errors import INVALID, RegistryError
from registry.faults import Fault, Path, Severity, nearest, shown
from registry.ids import split_id
from registry.origins import Origin
from registry.values import freeze, thaw

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", re.ASCII)


def parse_override(text: str) -> tuple[str, Any]:
    """Read ``namespace:name:path=value`` from a command line; the first ``=`` ends the key.

    The value becomes a boolean (``true``, ``FALSE``), an integer in canonical form, a number with ``.`` or ``e``,
    else it stays a text.

    Raises:
        RegistryError: kind Invalid, when there is no ``=`` or no whole key.
    """
    key, equals, value = text.partition("=")
    if not equals or _split(key) is None:
        raise RegistryError(f"invalid override {text!r}: write namespace:name:path=value", kind=INVALID)
    return key, plain_value(value)


def plain_value(text: str) -> Any:
    """Give a text from a command line its value: boolean, integer, number, else the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def override_entries(
    entries: Iterable[Entry], origins: dict[str, Origin], overrides: Mapping[str, Any]
) -> tuple[list[Entry], list[Fault]]:
    """Return the entries with overrides laid over them, in their order; `origins` is brought up to date.

    Keys are ``namespace:name:path``; a path is ``kind``, ``meta.…``, ``data.…`` or a field of the data. Missing maps
    on the way are made.
    """
    by_id = {entry.id: entry for entry in entries}
    faults: list[Fault] = []
    for key, value in overrides.items():
        parts = _split(key)
        if parts is None:
            faults.append(_fault(key, shown(key), "a key of the form namespace:name:path"))
            continue
        entry_id, path = parts
        entry = by_id.get(entry_id)
        if entry is None:
            faults.append(_fault(key, "an unknown entry", "the id of a loaded entry", nearest(entry_id, by_id)))
            continue
        try:
            changed, field = _override(entry, path, value)
        except (RegistryError, TypeError, ValueError) as error:
            faults.append(_fault(key, str(error), ""))
            continue
        by_id[entry_id] = changed
        origin = origins.get(entry_id)
        if origin is not None:
            origins[entry_id] = replace(origin, entry=changed, overridden={**origin.overridden, field: key})
    return list(by_id.values()), faults


def _split(key: str) -> tuple[str, list[str]] | None:
    parts = key.split(":", 2)
    if len(parts) < 3 or not all(parts):
        return None
    path = parts[2].split(".")
    return (f"{parts[0]}:{parts[1]}", path) if all(path) else None


def _override(entry: Entry, path: list[str], value: Any) -> tuple[Entry, Path]:
    if path == ["kind"]:
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"got {shown(value)}, expected the name of a kind")
        return replace(entry, kind=value), ("kind",)
    part = path[0] if path[0] in ("meta", "data") else "data"
    way = path[1:] if path[0] in ("meta", "data") else path
    if not way:
        raise ValueError(f"got the path {path[0]!r}, expected a field below it")
    target = thaw(getattr(entry, part))
    field = _put(target, way, value)
    changed = replace(entry, meta=freeze(target)) if part == "meta" else replace(entry, data=freeze(target))
    return changed, (("meta", *field) if part == "meta" else field)


def _put(target: Any, way: list[str], value: Any) -> Path:
    """Set a field, making the maps that are missing on the way; return its path with list indexes as numbers."""
    path: list[str | int] = []
    for position, step in enumerate(way):
        last = position == len(way) - 1
        if isinstance(target, dict):
            path.append(step)
            if last:
                target[step] = value
            else:
                if target.get(step) is None:
                    target[step] = {}
                target = target[step]
        elif isinstance(target, list):
            if not step.isascii() or not step.isdigit() or int(step) >= len(target):
                raise ValueError(f"got the step {step!r}, expected an index of a list of {len(target)}")
            path.append(int(step))
            if last:
                target[int(step)] = value
            target = target[int(step)]
        else:
            raise ValueError(f"got {shown(target)} at {'.'.join(way[:position]) or 'the data'!r}, expected a map")
    return tuple(path)


def disable_entries(
    entries: Iterable[Entry], origins: dict[str, Origin], disable: Mapping[str, Iterable[str]]
) -> tuple[list[Entry], list[Fault]]:
    """Return the entries that no pattern disables; `origins` loses those that go.

    Args:
        disable: ``namespaces`` and ``entries``, lists of patterns. ``*`` stands for any text without ``.`` and ``:``,
            ``**`` for any text; ``legacy.**`` means ``legacy`` itself too. An entry that is named without a pattern
            must exist.
    """
    kept = list(entries)
    known = [entry.id for entry in kept]
    faults = [
        _fault("disable.entries", repr(pattern), "the id of a loaded entry or a pattern", nearest(pattern, known))
        for pattern in disable.get("entries") or ()
        if "*" not in pattern and pattern not in known
    ]
    faults += [
        _fault(f"disable.{key}", "an unknown section", "'namespaces' or 'entries'")
        for key in disable
        if key not in ("namespaces", "entries")
    ]
    namespaces = [_pattern(pattern) for pattern in disable.get("namespaces") or ()]
    ids = [_pattern(pattern) for pattern in disable.get("entries") or ()]
    gone = {
        entry_id
        for entry_id in known
        if any(pattern.fullmatch(split_id(entry_id).namespace) for pattern in namespaces)
        or any(pattern.fullmatch(entry_id) for pattern in ids)
    }
    for entry_id in gone:
        origins.pop(entry_id, None)
    return [entry for entry in kept if entry.id not in gone], faults


def _pattern(text: str) -> re.Pattern[str]:
    tail = ""
    if text.endswith(".**"):
        text, tail = text[:-3], r"(\..*)?"
    parts = re.split(r"(\*\*|\*)", text)
    marks = {"**": ".*", "*": "[^.:]*"}
    return re.compile("".join(marks.get(part) or re.escape(part) for part in parts) + tail)


def _fault(key: str, got: str, expected: str, hint: str = "") -> Fault:
    file = key if key.startswith("disable") else f"override {key}"
    return Fault(Severity.FAULT, file, 0, "", "", got, expected, hint)
