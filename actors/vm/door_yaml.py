"""YAML behind the door, as JSON on the side of Lua."""

from __future__ import annotations

import base64
import datetime
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import yaml

from actors.errors import INTERNAL, ProcessError

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LARGEST: Final = 128 * 1024  # bytes of a text: the loader holds the VM meanwhile
_NODES: Final = 50_000  # values of a document, aliases counted as often as they are used
_DEEPEST: Final = 128


def decode(text: bytes) -> bytes:
    """Return a YAML document as JSON.

    Only plain values: dates become their ISO text, keys become text, binary becomes base64, and what JSON has no
    number for becomes null.

    Raises:
        ProcessError: bad syntax (with its place), more than one document, or a document that is too large, kind
            Internal.
    """
    if len(text) > _LARGEST:
        raise ProcessError(f"yaml: {len(text)} bytes, the limit is {_LARGEST}", kind=INTERNAL)
    try:
        _measure(text)
        document = yaml.load(text, _LOADER)
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        raise ProcessError(f"yaml: {' '.join(str(error).split())}", kind=INTERNAL) from error
    return json.dumps(_Plain().of(document, 0), ensure_ascii=False).encode("utf-8", "replace")


def _measure(text: bytes) -> None:
    """Refuse what nests too deep before it is composed: the C loader does that by recursion, and would crash."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, _LOADER)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST or count > 2 * _NODES:
            raise _too_much()


def _too_much() -> ProcessError:
    return ProcessError(
        f"yaml: more than {_NODES} values, nested deeper than {_DEEPEST}, or containing itself", kind=INTERNAL
    )


class _Plain:
    """Turns what the loader gives into what JSON has, counting it."""

    def __init__(self) -> None:
        self._left = _NODES

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise _too_much()
        if isinstance(value, dict):
            return {_name(key): self.of(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, datetime.date):
            return value.isoformat()
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        return value


def _name(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    return key.isoformat() if isinstance(key, datetime.date) else str(key)


def encode(document: bytes, order: bytes) -> bytes:
    """Return a JSON text as YAML in block style.

    Args:
        document: the value as JSON.
        order: a JSON list of keys that come first, in this order, in every mapping; the others follow sorted.
    """
    first = {name: index for index, name in enumerate(json.loads(order))}
    value = _ordered(json.loads(document), first)
    text: str = yaml.dump(
        value, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10**6
    )
    return text.encode()


def _ordered(value: Any, first: dict[str, int]) -> Any:
    if isinstance(value, dict):
        names: Sequence[str] = sorted(value, key=lambda name: (first.get(name, len(first)), name))
        return {name: _ordered(value[name], first) for name in names}
    if isinstance(value, list):
        return [_ordered(item, first) for item in value]
    return value
