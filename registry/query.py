"""Finding entries by their fields and meta (spec registry.md §8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from registry.entry import Entry
from registry.errors import INVALID, RegistryError
from registry.faults import nearest
from registry.values import same

Condition = Callable[[Entry], bool]

_FIELDS: Final[dict[str, Callable[[Entry], str]]] = {
    ".kind": lambda entry: entry.kind,
    ".name": lambda entry: entry.name,
    ".ns": lambda entry: entry.namespace,
    ".id": lambda entry: entry.id,
}
_SHORT: Final = {"kind": ".kind", "name": ".name", "ns": ".ns", "namespace": ".ns", "id": ".id"}
_MISSING: Final = object()


def conditions(query: Mapping[str, Any] | None, named: Mapping[str, Any]) -> dict[str, Any]:
    """Join a filter map and Python keyword arguments; among the latter ``kind``, ``name``, ``ns``, ``id`` may
    stand without their dot."""
    return {**(query or {}), **{_SHORT.get(key, key): value for key, value in named.items()}}


def select(entries: Iterable[Entry], query: Mapping[str, Any]) -> list[Entry]:
    """Return the entries that meet all conditions of a filter, sorted by id.

    Raises:
        RegistryError: kind Invalid, for a key without a known prefix, a wrong type or a bad regular expression.
    """
    tests = [test for key, value in query.items() for test in _tests(key, value)]
    return sorted((entry for entry in entries if all(test(entry) for test in tests)), key=lambda entry: entry.id)


def _tests(key: str, value: Any) -> list[Condition]:
    if not isinstance(key, str):
        raise RegistryError(f"invalid filter key {key!r}: write a text", kind=INVALID)
    if key == "meta":
        if not isinstance(value, Mapping):
            raise RegistryError("invalid filter: the value of 'meta' must be a map of conditions", kind=INVALID)
        return [test for name, item in value.items() for test in _tests(f"meta.{name}", item)]
    if key in _FIELDS:
        return [_field(_FIELDS[key], _pattern(key, value))]
    operator, path = (key[0], key[1:]) if key[:1] in ("~", "*", "^", "$") else ("", key)
    if not path.startswith("meta.") or len(path) == len("meta."):
        known = [*_FIELDS, "meta.<path>", "~meta.<path>", "*meta.<path>", "^meta.<path>", "$meta.<path>"]
        hint = nearest(key, known) or f"write 'meta.{key}' or one of {', '.join(known)}"
        raise RegistryError(f"unknown filter key {key!r}; {hint}", kind=INVALID)
    return [_meta(path[len("meta.") :].split("."), _comparison(operator, key, value))]


def _field(read: Callable[[Entry], str], pattern: Callable[[str], bool]) -> Condition:
    return lambda entry: pattern(read(entry))


def _pattern(key: str, value: Any) -> Callable[[str], bool]:
    if not isinstance(value, str):
        raise RegistryError(f"invalid value of filter key {key!r}: got {value!r}, expected a text", kind=INVALID)
    prefix, star, suffix = value.partition("*")
    if not star:
        return value.__eq__
    if "*" in suffix:
        raise RegistryError(f"invalid pattern {value!r} of filter key {key!r}: one '*' only", kind=INVALID)
    size = len(prefix) + len(suffix)
    return lambda text: len(text) >= size and text.startswith(prefix) and text.endswith(suffix)


def _meta(path: list[str], matches: Callable[[Any], bool]) -> Condition:
    def test(entry: Entry) -> bool:
        value: Any = entry.meta
        for step in path:
            value = value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
            if value is _MISSING:
                return False
        return matches(value)

    return test


def _comparison(operator: str, key: str, wanted: Any) -> Callable[[Any], bool]:
    if not operator:
        if isinstance(wanted, (list, tuple)):
            return lambda value: isinstance(value, list) and all(_holds(value, item) for item in wanted)
        return lambda value: same(value, wanted)
    if not isinstance(wanted, str):
        raise RegistryError(f"invalid value of filter key {key!r}: got {wanted!r}, expected a text", kind=INVALID)
    if operator == "~":
        try:
            search = re.compile(wanted).search
        except re.error as error:
            raise RegistryError(f"invalid regular expression {wanted!r} of {key!r}: {error}", kind=INVALID) from error
        return lambda value: isinstance(value, str) and search(value) is not None
    if operator == "*":
        return lambda value: wanted in value if isinstance(value, str) else _holds(value, wanted)
    if operator == "^":
        return lambda value: isinstance(value, str) and value.startswith(wanted)
    return lambda value: isinstance(value, str) and value.endswith(wanted)


def _holds(value: Any, item: Any) -> bool:
    return isinstance(value, list) and any(same(element, item) for element in value)
