"""Values and records between Python and the kernel: msgpack, with structured errors and empty objects as extensions.

The mapping (design §5): None/nil, bool, numbers (integral doubles up to 2**53 become int), str (UTF-8) or bytes, list
or tuple <-> a table with the keys 1..n, dict <-> other tables. An empty dict comes back as one; an empty table is a
list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final

import msgpack

from actors.errors import INTERNAL, INVALID, Failure, ProcessError

LuaValue = Any
"""What a Lua value is in Python: None, bool, int, float, str, bytes, list, dict with such keys, or a Failure."""

MAX_INT: Final = 2**53
MAX_DEPTH: Final = 200
_ERROR: Final = 1
_EMPTY_OBJECT: Final = 2
_EMPTY: Final = msgpack.ExtType(_EMPTY_OBJECT, b"")


class Input(IntEnum):
    """What goes into a VM; the kernel's table of inputs has the same numbers."""

    SPAWN = 1
    SEND = 2
    BLOB = 3
    CANCEL = 4
    TERMINATE = 5
    MONITOR = 6
    UNMONITOR = 7
    NAME = 8
    VM = 9
    HOST = 10
    INVALIDATE = 11
    VM_LOST = 12
    CALL = 13
    CANCEL_CALL = 14
    INSPECT = 15
    STOPPING = 16
    KILL_ALL = 17
    LIMIT = 18
    ANSWER = 19
    PERMIT = 30
    WARM = 31
    TERMINAL = 40
    FEED = 20
    PLACED = 21


class Output(IntEnum):
    """What comes out of a VM; the outbox of the kernel has the same numbers."""

    BLOB = 1
    REPLY = 2
    MAIL = 3
    EVENT = 4
    DEATH = 5
    LOG = 6
    DEAD_LETTER = 7
    PLACE = 8
    TERMINAL = 20
    EXIT = 21
    ASK = 9


def check(value: Any) -> LuaValue:
    """Return `value` as it goes over the wire.

    Raises:
        ProcessError: kind Invalid, when something in it cannot cross; the message holds its path.
    """
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is str or kind is float or kind is bytes:
        return value
    if kind is int and -MAX_INT <= value <= MAX_INT:
        return value
    return _check(value, "value", 0, ())


def _refuse(problem: str, path: str) -> ProcessError:
    return ProcessError(f"{problem} (at {path})", kind=INVALID)


def _check(value: Any, path: str, depth: int, above: tuple[int, ...]) -> LuaValue:
    if value is None or isinstance(value, bool | float | bytes):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        if not -MAX_INT <= value <= MAX_INT:
            raise _refuse(f"the int {value} is larger than 2**53 and would be rounded in Lua: send it as text", path)
        return int(value)
    if isinstance(value, Failure):
        return _pack_failure(value, path, depth)
    if isinstance(value, ProcessError):
        return _pack_failure(value.failure(), path, depth)
    if depth >= MAX_DEPTH:
        raise _refuse(f"a value nested deeper than {MAX_DEPTH} levels cannot be sent", path)
    if id(value) in above:
        raise _refuse("a value that contains itself cannot be sent", path)
    if isinstance(value, list | tuple):
        inside = (*above, id(value))
        return [_check(item, f"{path}[{i}]", depth + 1, inside) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        if not value:
            return _EMPTY
        inside = (*above, id(value))
        return {_key(k, path): _check(v, f"{path}.{k}", depth + 1, inside) for k, v in value.items()}
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise _refuse(f"a {type(value).__qualname__} cannot be sent", path)


def _key(key: Any, path: str) -> Any:
    if isinstance(key, bool | str | bytes):
        return key
    if isinstance(key, int) and -MAX_INT <= key <= MAX_INT:
        return key
    if isinstance(key, float) and not math.isnan(key):
        return key
    raise _refuse(f"a {type(key).__qualname__} cannot be the key {key!r} of a table", path)


def _pack_failure(failure: Failure, path: str, depth: int) -> msgpack.ExtType:
    details = None if failure.details is None else _check(dict(failure.details), f"{path}.details", depth + 1, ())
    fields = [failure.message, failure.kind, failure.retryable, details, failure.stack]
    return msgpack.ExtType(_ERROR, _packer(fields))


def _packer(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True, unicode_errors="surrogateescape")
    return packed


def pack(records: Any) -> bytes:
    """Pack records whose values went through `check`."""
    return _packer(records)


def _ext(code: int, data: bytes) -> Any:
    if code == _ERROR:
        message, kind, retryable, details, stack = unpack(data)
        return Failure(message, kind or INTERNAL, retryable, details, stack)
    return {}


def unpack(data: bytes) -> Any:
    """Unpack one value that the kernel packed."""
    return msgpack.unpackb(data, raw=False, strict_map_key=False, ext_hook=_ext, unicode_errors="surrogateescape")


def packer() -> Callable[[Any], bytes]:
    """Return a function that packs as `pack` does, faster from one call to the next; for one thread at a time."""
    pack_: Callable[[Any], bytes] = msgpack.Packer(use_bin_type=True, unicode_errors="surrogateescape").pack
    return pack_


class Unpacker:
    """Unpacks the records of steps; for one thread at a time."""

    def __init__(self) -> None:
        self._unpacker = msgpack.Unpacker(
            raw=False, strict_map_key=False, ext_hook=_ext, unicode_errors="surrogateescape", max_buffer_size=0
        )

    def all(self, data: bytes) -> list[list[Any]]:
        """Unpack the records of one step."""
        self._unpacker.feed(data)
        return list(self._unpacker)
