"""Reading one YAML or JSON document into plain values, with the line of every field beside them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH: Final = 100
_VALUES: Final = 1_000_000

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)", re.ASCII)
_OCTAL = re.compile(r"[-+]?0o?[0-7][0-7_]*", re.ASCII)
_HEXADECIMAL = re.compile(r"[-+]?0x[0-9a-fA-F][0-9a-fA-F_]*", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: Final[dict[str, Any]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    ".inf": math.inf,
    ".Inf": math.inf,
    "-.inf": -math.inf,
    ".nan": math.nan,
    ".NaN": math.nan,
}


class DocumentError(Exception):
    """Raised when a document cannot be read.

    Attributes:
        line: counted from 1.
        problem: what is wrong there.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


class Place:
    """Where a value stands in its file.

    Attributes:
        line: the line of its key, of its list item, or of its beginning; counted from 1.
        text_line: for a text, the line on which its first character stands.
        parts: the places of what it contains: a dict by key, a list by index, or None.
        source: for a text that came from a ``file://`` value, the path of that file relative to the source root.
    """

    __slots__ = ("line", "parts", "source", "text_line")

    def __init__(self, line: int, text_line: int = 0, source: str = "") -> None:
        self.line = line
        self.text_line = text_line
        self.parts: dict[Any, Place] | list[Place] | None = None
        self.source = source

    def at(self, path: tuple[str | int, ...]) -> Place:
        """Return the place of a field, or of the innermost part of the way to it that exists."""
        place = self
        for step in path:
            parts = place.parts
            if isinstance(parts, dict):
                part = parts.get(step)
            else:
                part = parts[step] if parts and isinstance(step, int) and step < len(parts) else None
            if part is None:
                break
            place = part
        return place

    def path_to(self, wanted: Place) -> tuple[str | int, ...] | None:
        """Return the way to a place inside this one, or None when it is not there."""
        if self is wanted:
            return ()
        parts = self.parts
        items = parts.items() if isinstance(parts, dict) else enumerate(parts or ())
        for step, part in items:
            rest = part.path_to(wanted)
            if rest is not None:
                return (step, *rest)
        return None


Include = Callable[[str, Place], str]
"""Gives the text that stands for a ``file://`` value and notes its source in the place; may record a fault."""


def read_yaml(text: str, include: Include) -> tuple[Any, Place]:
    """Read the first document of a YAML text; an empty one is None.

    Booleans are ``true`` and ``false`` only and dates stay texts, as in YAML 1.2.

    Raises:
        DocumentError: the text is no YAML, holds a key twice, or a tag that has no meaning here.
    """
    try:
        loader = _LOADER(text)
    except yaml.YAMLError as error:
        raise _document_error(error) from error
    try:
        return _Builder(loader, include).document()
    except yaml.YAMLError as error:
        raise _document_error(error) from error
    finally:
        loader.dispose()


def read_json(text: str, include: Include) -> tuple[Any, Place]:
    """Read a JSON text. Lines are known as far as the text is YAML too, which JSON files written by people are.

    Raises:
        DocumentError: the text is no JSON.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DocumentError(getattr(error, "lineno", 1), f"invalid JSON: {getattr(error, 'msg', error)}") from error
    except RecursionError as error:
        raise DocumentError(1, "invalid JSON: nested too deeply") from error
    try:
        _, place = read_yaml(text, lambda found, _: found)
    except DocumentError:
        place = Place(1, 1)
    return _include_all(value, place, include), place


def _include_all(value: Any, place: Place, include: Include) -> Any:
    if isinstance(value, str):
        return include(value, place) if value.startswith("file://") else value
    if isinstance(value, dict):
        return {key: _include_all(item, place.at((key,)), include) for key, item in value.items()}
    if isinstance(value, list):
        return [_include_all(item, place.at((index,)), include) for index, item in enumerate(value)]
    return value


def _document_error(error: yaml.YAMLError) -> DocumentError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return DocumentError(mark.line + 1 if mark else 1, f"invalid YAML: {problem}")


def plain_scalar(text: str) -> Any:
    """Give an unquoted YAML scalar its value."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    try:
        return _number(text)
    except ValueError:  # such as more digits than Python reads
        return text


def _number(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _OCTAL.fullmatch(text):
        return int(text.replace("_", "").replace("o", ""), 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text.replace("_", ""), 16)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text


class _Builder:
    """Turns the events of a parser into values and places in one pass."""

    def __init__(self, loader: Any, include: Include) -> None:
        self._next = loader.get_event
        self._include = include
        self._anchors: dict[str, tuple[Any, Place]] = {}
        self._sizes: dict[str, int] = {}
        self._plain: dict[str, Any] = {}
        self._count = 0

    def document(self) -> tuple[Any, Place]:
        self._next()
        event = self._next()
        if type(event) is yaml.StreamEndEvent:
            return None, Place(1, 1)
        event = self._next()
        return self._value(event, event.start_mark.line + 1, 0)

    def _value(self, event: Any, line: int, depth: int) -> tuple[Any, Place]:
        kind = type(event)
        before = self._count
        self._count += 1
        if kind is yaml.ScalarEvent:
            result = self._scalar(event, line)
        elif kind is yaml.AliasEvent:
            if event.anchor not in self._anchors:
                raise DocumentError(event.start_mark.line + 1, f"invalid YAML: unknown alias {event.anchor!r}")
            value, origin = self._anchors[event.anchor]
            self._count += self._sizes[event.anchor]
            if self._count > _VALUES:
                raise DocumentError(line, f"invalid YAML: its aliases expand to more than {_VALUES} values")
            place = Place(line, origin.text_line, origin.source)
            place.parts = origin.parts
            return value, place
        elif depth > _DEPTH:
            raise DocumentError(line, f"invalid YAML: nested deeper than {_DEPTH} levels")
        elif kind is yaml.MappingStartEvent:
            result = self._mapping(line, depth + 1)
        else:
            result = self._sequence(line, depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = result
            self._sizes[event.anchor] = self._count - before
        return result

    def _scalar(self, event: Any, line: int) -> tuple[Any, Place]:
        text: str = event.value
        tag = event.tag
        start = event.start_mark.line + 1
        place = Place(line, start + 1 if event.style in ("|", ">") else start)
        if event.implicit[0] and tag is None:
            plain = self._plain
            if text in plain:
                value = plain[text]
            else:
                value = plain[text] = plain_scalar(text)
        elif tag is None or tag == "!" or tag == "tag:yaml.org,2002:str":
            value = text
        elif tag.startswith("tag:yaml.org,2002:") and tag[18:] in ("int", "float", "bool", "null"):
            value = plain_scalar(text)
        else:
            raise DocumentError(start, f"invalid YAML: the tag {tag!r} has no meaning here")
        if type(value) is str and value.startswith("file://"):
            value = self._include(value, place)
        return value, place

    def _mapping(self, line: int, depth: int) -> tuple[Any, Place]:
        values: dict[Any, Any] = {}
        parts: dict[Any, Place] = {}
        merged: list[tuple[Any, Place]] = []
        get = self._next
        event = get()
        while type(event) is not yaml.MappingEndEvent:
            key_line = event.start_mark.line + 1
            if type(event) is not yaml.ScalarEvent:
                raise DocumentError(key_line, "invalid YAML: the key of a map must be a text, a number or a boolean")
            if event.value == "<<" and event.implicit[0]:
                merged.append(self._value(get(), key_line, depth))
            else:
                key = plain_scalar(event.value) if event.implicit[0] and event.tag is None else event.value
                if key is None:
                    key = event.value
                if key in values:
                    raise DocumentError(key_line, f"invalid YAML: the key {key!r} stands twice in one map")
                values[key], parts[key] = self._value(get(), key_line, depth)
            event = get()
        for value, origin in merged:
            _merge(value, origin, values, parts)
        place = Place(line)
        place.parts = parts
        return values, place

    def _sequence(self, line: int, depth: int) -> tuple[Any, Place]:
        values: list[Any] = []
        parts: list[Place] = []
        get = self._next
        event = get()
        while type(event) is not yaml.SequenceEndEvent:
            value, part = self._value(event, event.start_mark.line + 1, depth)
            values.append(value)
            parts.append(part)
            event = get()
        place = Place(line)
        place.parts = parts
        return values, place


def _merge(value: Any, origin: Place, values: dict[Any, Any], parts: dict[Any, Place]) -> None:
    """Lay a ``<<`` value under a map: its own keys win, and earlier merges win over later ones."""
    if isinstance(value, list) and isinstance(origin.parts, list):
        for item, place in zip(value, origin.parts, strict=True):
            _merge(item, place, values, parts)
        return
    if not isinstance(value, dict) or not isinstance(origin.parts, dict):
        raise DocumentError(origin.line, "invalid YAML: '<<' takes a map or a list of maps")
    for key, item in value.items():
        if key not in values:
            values[key], parts[key] = item, origin.parts[key]
