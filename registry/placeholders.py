"""Placeholders in the data of entries: ``${env:NAME}`` and its relatives (spec registry.md §5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from registry.errors import RegistryError
from registry.faults import Path, Problem

Lookup = Callable[[str, str], "str | None"]
"""Gives the value of a variable from its name and the namespace of the entry that asks."""

ENV_SIBLINGS: Final = frozenset({"api_key_env", "key_pem_env", "build_id_env", "token_key_env"})
"""Fields that name a variable; the field without ``_env`` gets its value."""

_PLACEHOLDER: Final = re.compile(
    r"\$\$\{|\$\{env:(?P<long>[^}|]*)(?:\|(?P<fallback>[^}]*))?\}|\$\{(?P<short>[A-Z0-9_]+)\|(?P<default>[^}]*)\}",
    re.ASCII,
)
_INTEGER: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?", re.ASCII)
_BOOLEANS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Resolved:
    """Data with its placeholders resolved.

    Attributes:
        data: the resolved data; the very same object when there was nothing to resolve.
        problems: variables without a value, and values that do not fit the default's type.
        paths: the fields that were resolved, so that no message shows their values.
    """

    data: Any
    problems: tuple[Problem, ...] = ()
    paths: frozenset[Path] = frozenset()


def resolve(data: Any, namespace: str, lookup: Lookup) -> Resolved:
    """Resolve every placeholder in `data`."""
    walk = _Walk(namespace, lookup)
    value = walk.value(data, ())
    return Resolved(value, tuple(walk.problems), frozenset(walk.paths))


def names(value: Any) -> Iterator[str]:
    """Yield the names of the variables that the placeholders in a value mention."""
    if isinstance(value, str):
        if "${" in value:
            for match in _PLACEHOLDER.finditer(value):
                name = match["long"] or match["short"]
                if name:
                    yield name
    elif isinstance(value, dict):
        for item in value.values():
            yield from names(item)
    elif isinstance(value, list):
        for item in value:
            yield from names(item)


class _MissingError(Exception):
    """A placeholder has neither value nor default."""


class _Walk:
    def __init__(self, namespace: str, lookup: Lookup) -> None:
        self._namespace = namespace
        self._lookup = lookup
        self.problems: list[Problem] = []
        self.paths: set[Path] = set()

    def value(self, value: Any, path: Path) -> Any:
        """Return the value with everything in it resolved, or itself when nothing was."""
        if isinstance(value, str):
            return self._text(value, path) if "${" in value else value
        if isinstance(value, dict):
            changed = {key: new for key, item in value.items() if (new := self.value(item, (*path, key))) is not item}
            siblings = ENV_SIBLINGS.intersection(value)
            if not changed and not siblings:
                return value
            result = {**value, **changed}
            for key in sorted(siblings):
                self._sibling(result, key, path)
            return result
        if isinstance(value, list):
            items = [self.value(item, (*path, index)) for index, item in enumerate(value)]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        return value

    def _sibling(self, fields: dict[Any, Any], key: str, path: Path) -> None:
        """Give the field without ``_env`` the value of the variable that the sibling names, if it has one."""
        name = fields[key]
        if not isinstance(name, str) or not name:
            return
        try:
            found = self._lookup(name, self._namespace)
        except RegistryError as error:
            self.problems.append(Problem((*path, key), str(error), "", kind=error.kind))
            return
        if found:
            plain = key.removesuffix("_env")
            del fields[key]
            fields[plain] = found
            self.paths.add((*path, plain))

    def _text(self, text: str, path: Path) -> Any:
        try:
            whole = _PLACEHOLDER.fullmatch(text)
            if whole is not None and whole[0] != "$${":
                self.paths.add(path)
                return self._whole(whole, path)
            result = _PLACEHOLDER.sub(lambda match: "${" if match[0] == "$${" else self._of(match), text)
        except _MissingError as missing:
            name = str(missing)
            expected = "a variable that has a value, or a default after '|'"
            self.problems.append(Problem(path, f"no value for ${{env:{name}}}", expected))
            return text
        except RegistryError as error:
            self.problems.append(Problem(path, str(error), "", kind=error.kind))
            return text
        if result != text:
            self.paths.add(path)
        return result

    def _of(self, match: re.Match[str]) -> str:
        name = match["long"] if match["short"] is None else match["short"]
        found = self._lookup(name, self._namespace) if name else None
        if found is None:
            found = match["fallback"] if match["short"] is None else match["default"]
        if found is None:
            raise _MissingError(name)
        return found

    def _whole(self, match: re.Match[str], path: Path) -> Any:
        """Resolve a value that is one placeholder: it takes the type that its default looks like."""
        found = self._of(match)
        default = match["fallback"] if match["short"] is None else match["default"]
        if not default:
            return found
        convert, expected = _type_of(default)
        try:
            return convert(found)
        except (ValueError, KeyError):
            self.problems.append(Problem(path, f"a value of {match[0]} that is none", expected))
            return match[0]


def _type_of(default: str) -> tuple[Callable[[str], Any], str]:
    if default.lower() in _BOOLEANS:
        return lambda text: _BOOLEANS[text.lower()], "true or false, as its default"
    if _INTEGER.fullmatch(default):
        return int, "an integer, as its default"
    if _FLOAT.fullmatch(default):
        return float, "a number, as its default"
    return str, ""
