"""Stores: key and value in memory, with times to live and versions (spec lua-api.md §22, registry.md §11)."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from actors.clock import Clock
from actors.errors import (
    ALREADY_EXISTS,
    CONFLICT,
    INVALID,
    LIMIT_EXCEEDED,
    NOT_FOUND,
    UNAVAILABLE,
    Failure,
    ProcessError,
)
from actors.supervision import Exited, Report, Started
from actors.vm.wire import pack, unpack

LIST_LIMIT: Final = 100
"""How many items `list` returns when it is not told."""
LARGEST_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """What is kept under a key: bytes that only VMs read, a version that is never used twice, and an end."""

    value: bytes
    version: int
    expires: float | None


class MemoryStore:
    """One store. Not safe from several threads: `Stores` guards it.

    Args:
        now: monotonic seconds.
        max_size: how many keys; a new one beyond it is refused, existing ones may be overwritten.
        cleanup_interval: seconds between two removals of all that has expired, 0 for never. Nothing that has expired
            is ever returned; this only bounds how long it takes memory.
    """

    def __init__(self, now: Callable[[], float], max_size: int, cleanup_interval: float) -> None:
        self._now = now
        self.max_size = max_size
        self._interval = cleanup_interval
        self._items: dict[str, Item] = {}
        self._keys: list[str] = []  # sorted
        self._version = 0
        self._cleaned = now()

    def find(self, key: str) -> Item | None:
        """Return what is kept under a key and has not expired."""
        item = self._items.get(key)
        if item is not None and item.expires is not None and item.expires <= self._now():
            self._remove(key)
            return None
        return item

    def put(
        self, key: str, value: bytes, ttl: float | None, *, absent: bool = False, version: int | None = None
    ) -> Item:
        """Keep a value.

        Args:
            ttl: seconds until it expires; None for never. absent: only when there is none. version: only over this one.

        Raises:
            ProcessError: AlreadyExists, Conflict (retryable) or LimitExceeded.
        """
        self._clean()
        current = self.find(key)
        if absent and current is not None:
            raise ProcessError(f"the key {key!r} exists already", kind=ALREADY_EXISTS)
        if version is not None and (current is None or current.version != version):
            shown = "is not there" if current is None else f"has version {current.version}"
            raise ProcessError(f"the key {key!r} {shown}, not version {version}", kind=CONFLICT, retryable=True)
        if current is None:
            if len(self._items) >= self.max_size:
                self.clean()
            if len(self._items) >= self.max_size:
                raise ProcessError(f"the store is full: {self.max_size} keys (max_size)", kind=LIMIT_EXCEEDED)
            insort(self._keys, key)
        self._version += 1
        item = Item(value, self._version, None if ttl is None else self._now() + ttl)
        self._items[key] = item
        return item

    def delete(self, key: str) -> bool:
        """Remove a key; tell whether it was there."""
        if self.find(key) is None:
            return False
        self._remove(key)
        return True

    def page(self, prefix: str, after: str, limit: int) -> tuple[list[tuple[str, Item]], bool]:
        """Return up to `limit` items with a prefix, in key order, behind the key `after`; and whether more follow."""
        found: list[tuple[str, Item]] = []
        index = bisect_left(self._keys, max(prefix, after))
        expired: list[str] = []
        more = False
        for at in range(index, len(self._keys)):
            key = self._keys[at]
            if not key.startswith(prefix):
                break
            if key == after:
                continue
            item = self._items[key]
            if item.expires is not None and item.expires <= self._now():
                expired.append(key)
            elif len(found) == limit:
                more = True
                break
            else:
                found.append((key, item))
        for key in expired:
            self._remove(key)
        return found, more

    def clean(self) -> None:
        """Remove all that has expired."""
        now = self._cleaned = self._now()
        self._items = {k: i for k, i in self._items.items() if i.expires is None or i.expires > now}
        self._keys = [key for key in self._keys if key in self._items]

    def __len__(self) -> int:
        now = self._now()
        return sum(item.expires is None or item.expires > now for item in self._items.values())

    def _clean(self) -> None:
        if self._interval and self._now() - self._cleaned >= self._interval:
            self.clean()

    def _remove(self, key: str) -> None:
        del self._items[key]
        del self._keys[bisect_left(self._keys, key)]


class Stores:
    """All stores of a runtime that run; VMs reach them through the door. Safe from any thread, nothing waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards the stores and what they hold
        self._stores: dict[str, MemoryStore] = {}

    def open(self, id: str, max_size: int, cleanup_interval: float) -> None:
        """Begin a store, empty."""
        with self._lock:
            self._stores[id] = MemoryStore(self._clock.monotonic, max_size, cleanup_interval)

    def close(self, id: str) -> None:
        """End a store and forget what it holds: using it gives Unavailable."""
        with self._lock:
            self._stores.pop(id, None)

    def call(self, operation: bytes, id: bytes, key: bytes, arguments: bytes, value: bytes = b"") -> bytes:
        """Answer the door: an operation on a key of a store; `arguments` and the result are packed."""
        store_id = id.decode("utf-8", "surrogateescape")
        name = key.decode("utf-8", "surrogateescape")
        given = unpack(arguments) if arguments else {}
        with self._lock:
            store = self._stores.get(store_id)
            if store is None:
                raise ProcessError(f"the store {store_id} does not run", kind=UNAVAILABLE, retryable=True)
            return _OPERATIONS[operation](store, name, given if isinstance(given, dict) else {}, value)


def _found(store: MemoryStore, key: str) -> Item:
    item = store.find(key)
    if item is None:
        raise ProcessError(f"key not found: {key}", kind=NOT_FOUND)
    return item


def _put(store: MemoryStore, key: str, given: dict[str, Any], value: bytes) -> bytes:
    absent, version = bool(given.get("only_if_absent")), given.get("if_version")
    if absent and version is not None:
        raise ProcessError("only_if_absent and if_version exclude each other", kind=INVALID)
    return str(store.put(key, value, given.get("ttl"), absent=absent, version=version).version).encode()


def _list(store: MemoryStore, key: str, given: dict[str, Any], value: bytes) -> bytes:
    items, more = store.page(key, given.get("after", ""), given.get("limit", LIST_LIMIT))
    listed = [[name, item.version, item.value] for name, item in items]
    return pack({"items": listed, "more": more})


def _entry(store: MemoryStore, key: str, given: dict[str, Any], value: bytes) -> bytes:
    item = _found(store, key)
    return pack([item.version, item.value])


_OPERATIONS: Final[dict[bytes, Callable[[MemoryStore, str, dict[str, Any], bytes], bytes]]] = {
    b"open": lambda store, key, given, value: b"",
    b"get": lambda store, key, given, value: _found(store, key).value,
    b"has": lambda store, key, given, value: b"1" if store.find(key) is not None else b"",
    b"delete": lambda store, key, given, value: b"1" if store.delete(key) else b"",
    b"put": _put,
    b"entry": _entry,
    b"list": _list,
    b"info": lambda store, key, given, value: pack({"size": len(store), "max_size": store.max_size}),
}


class StoreDriver:
    """One life of a `store.memory` service."""

    def __init__(self, stores: Stores, id: str, max_size: int, cleanup_interval: float) -> None:
        self._stores = stores
        self._id = id
        self._settings = max_size, cleanup_interval
        self._report: Report = lambda event: None
        self._ended = False

    def start(self, report: Report) -> None:
        """Open the store."""
        self._report = report
        self._stores.open(self._id, *self._settings)
        report(Started())

    def stop(self, reason: str) -> None:
        """Close it."""
        if not self._ended:
            self._ended = True
            self._stores.close(self._id)
            self._report(Exited(Failure(reason, "Canceled")))

    def kill(self) -> None:
        """Close it."""
        self.stop("store stopped")
