"""Plain values that nobody can change: what an entry holds in its meta and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

_DEPTH = 200


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError("what the registry holds cannot be changed; take a copy with thaw() and apply an update")


class FrozenDict(dict[Any, Any]):
    """A dict that cannot be changed; it equals, prints and encodes as a dict does."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[Any, Any]]]:
        return FrozenDict, (dict(self),)

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: Any) -> FrozenDict:
        return self


class FrozenList(list[Any]):
    """A list that cannot be changed; it equals, prints and encodes as a list does."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[Any]]]:
        return FrozenList, (list(self),)

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, memo: Any) -> FrozenList:
        return self


EMPTY = FrozenDict()


def freeze(value: Any, _depth: int = 0) -> Any:
    """Return a deep copy of a plain value that cannot be changed.

    Raises:
        TypeError: something in it is not None, bool, int, float, str, bytes, a list, a tuple or a map.
        ValueError: it is nested deeper than 200 levels (or holds itself).
    """
    kind = type(value)
    if kind is FrozenDict or kind is FrozenList or value is None or kind in _SCALARS:
        return value
    if _depth > _DEPTH:
        raise ValueError(f"nested deeper than {_DEPTH} levels")
    if isinstance(value, Mapping):
        if not all(type(key) in _KEYS for key in value):
            raise TypeError("the key of a map must be a text, a number or a boolean")
        return FrozenDict((key, freeze(item, _depth + 1)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return FrozenList(freeze(item, _depth + 1) for item in value)
    raise TypeError(f"a {kind.__name__} is not a plain value")


def thaw(value: Any) -> Any:
    """Return a deep copy made of ordinary dicts and lists."""
    if isinstance(value, dict):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [thaw(item) for item in value]
    return value


def same(left: Any, right: Any) -> bool:
    """Compare deeply as an author reads values: ``2`` equals ``2.0``, but ``true`` is not ``1``."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(item, right[key]) for key, item in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def map_texts(value: Any, change: Callable[[str], Any]) -> Any:
    """Return the value with `change` laid over every text in it; containers without one stay as they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        items = {key: map_texts(item, change) for key, item in value.items()}
        return value if all(items[key] is item for key, item in value.items()) else items
    if isinstance(value, list):
        parts = [map_texts(item, change) for item in value]
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts
    return value


_SCALARS = frozenset({bool, int, float, str, bytes})
_KEYS = frozenset({str, int, float, bool})
