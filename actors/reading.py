"""What the Lua modules `registry` and `env` read through the door: pure reads of the registry, packed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

from actors.errors import ProcessError
from actors.vm.door import Function
from actors.vm.wire import check, pack, unpack
from registry import Entry, Operation, Registry, RegistryError, Snapshot, Version
from registry.changes import build_delta

_KEPT_SNAPSHOTS: Final = 16
_KEPT_ENTRIES: Final = 1024


def reading(registry: Registry) -> dict[str, Function]:
    """Return the functions of the door by name: ``kind``, ``registry`` and ``env``."""
    reader = _Reader(registry)
    return {"kind": _guarded(reader.kind), "registry": _guarded(reader.call), "env": _guarded(reader.environment)}


def _guarded(function: Function) -> Function:
    """Turn the registry's errors into the runtime's, which the door knows."""

    def guarded(*args: bytes) -> bytes:
        try:
            return function(*args)
        except RegistryError as error:
            raise process_error(error) from error

    return guarded


def process_error(error: RegistryError) -> ProcessError:
    """Return an error of the registry as one of the runtime."""
    return ProcessError(error.message, kind=error.kind, retryable=error.retryable, details=error.details)


def entry_record(entry: Entry) -> dict[str, Any]:
    """Return an entry as Lua sees it (spec lua-api.md §18)."""
    return {"id": entry.id, "kind": entry.kind, "meta": entry.meta, "data": entry.data}


class _Reader:
    """Reads the registry of now, and snapshots of other versions, the last few of which it keeps."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()  # guards the snapshots
        self._snapshots: OrderedDict[int, Snapshot] = OrderedDict()
        self._packed: dict[str, tuple[Entry, bytes]] = {}

    def kind(self, id: bytes) -> bytes:
        """Return the kind of an entry."""
        return self._registry.get(_text(id)).kind.encode()

    def environment(self, operation: bytes, name: bytes, value: bytes, namespace: bytes) -> bytes:
        """Read or set a variable; ``all`` returns those with a public name and a value."""
        variables = self._registry.environment
        if operation == b"all":
            return pack(check(variables.all()))
        if operation == b"set":
            variables.set(_text(name), _text(value), _text(namespace))
            return b""
        return _bytes(variables.get(_text(name), _text(namespace)))

    def call(self, operation: bytes, arguments: bytes) -> bytes:
        """Answer one of the questions below; arguments and result are packed."""
        if operation == b"get":
            return self._get(unpack(arguments))
        return pack(check(_QUESTIONS[operation](self, unpack(arguments) if arguments else None)))

    def _snapshot(self, version: int | None) -> Snapshot:
        if version is None or version == self._registry.version:
            found = self._registry.snapshot()
        else:
            with self._lock:
                known = self._snapshots.get(version)
            found = known if known is not None else self._registry.snapshot_at(version)
        with self._lock:
            self._snapshots[found.version] = found
            self._snapshots.move_to_end(found.version)
            if len(self._snapshots) > _KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
        return found

    def _get(self, given: dict[str, Any]) -> bytes:
        version = given.get("version")
        source: Registry | Snapshot = self._registry if version is None else self._snapshot(version)
        entry = source.get(given["id"])
        known = self._packed.get(entry.id)
        if known is not None and known[0] is entry:
            return known[1]
        packed = pack(check(entry_record(entry)))
        if len(self._packed) >= _KEPT_ENTRIES:
            self._packed.clear()
        self._packed[entry.id] = entry, packed
        return packed

    def _find(self, given: dict[str, Any]) -> Any:
        version = given.get("version")
        query = given["query"] or {}
        source: Registry | Snapshot = self._registry if version is None else self._snapshot(version)
        return _records(source.find(query))

    def _entries(self, given: dict[str, Any]) -> Any:
        return _records(self._snapshot(given["version"]))

    def _snapshot_at(self, given: dict[str, Any]) -> Any:
        return self._snapshot(given.get("version")).version

    def _version(self, given: dict[str, Any]) -> Any:
        version = given.get("version")
        return self._describe(self._registry.get_version(self._registry.version if version is None else version))

    def _versions(self, given: Any) -> Any:
        return [self._describe(version) for version in self._registry.history]

    def _describe(self, version: Version) -> dict[str, Any]:
        following = self._registry.next_version(version.id)
        return {"id": version.id, "text": str(version), "previous": version.previous, "next": following}

    def _delta(self, given: dict[str, Any]) -> Any:
        before, after = ({entry.id: entry for entry in map(Entry.of, given[side])} for side in ("before", "after"))
        return [operation_record(operation) for operation in build_delta(before, after)]


_QUESTIONS: Final[dict[bytes, Callable[[_Reader, Any], Any]]] = {
    b"find": _Reader._find,
    b"entries": _Reader._entries,
    b"snapshot": _Reader._snapshot_at,
    b"version": _Reader._version,
    b"versions": _Reader._versions,
    b"delta": _Reader._delta,
}


def operation_record(operation: Operation) -> dict[str, Any]:
    """Return an operation as Lua sees it."""
    return {"kind": operation.action.value, "entry": entry_record(operation.entry)}


def _records(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    return [entry_record(entry) for entry in entries]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
