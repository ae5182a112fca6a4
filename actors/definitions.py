"""The definitions of Lua entries as VMs load them: checked, translated by the front end, packed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from actors.errors import NOT_FOUND, UNAVAILABLE, ProcessError
from actors.functions import pool_bounds
from actors.kinds import CATALOG, LUA_KINDS
from actors.kinds.lua import FunctionLuaSpec, LibraryLuaSpec, ProcessLuaSpec
from actors.vm.frontend import FrontEnd, SourceError
from actors.vm.wire import check, pack
from registry import Entry, Fault, FaultsError, Folder, Registry, RegistryError, Severity, SourceRef


class Definitions:
    """Gives VMs the current definition of an entry. Safe from any thread.

    Args:
        registry: where entries come from.
        number: the number under which VMs publish an entry.
        front_end: translates sources; results are kept by content.
    """

    def __init__(self, registry: Registry, number: Callable[[str], int], front_end: FrontEnd | None = None) -> None:
        self._registry = registry
        self._number = number
        self._front_end = front_end if front_end is not None else FrontEnd()
        self._lock = threading.Lock()  # guards the packed definitions
        self._packed: dict[str, bytes] = {}

    def check(self, entry: Entry) -> None:
        """Translate the source of a Lua entry.

        Raises:
            FaultsError: a syntax error, with the file and line of the source.
        """
        source = entry.data.get("source")
        if entry.kind not in LUA_KINDS or not isinstance(source, str | bytes):
            return
        fault = source_fault(entry.id, source, self._registry.source_of(entry), self._front_end)
        if fault is not None:
            raise FaultsError([fault])

    def packed(self, id: bytes) -> bytes:
        """Return the packed definition of an entry: what the kernel's loader asks for through the door.

        Raises:
            ProcessError: NotFound for an unknown entry, Unavailable for a kind that this release does not run.
        """
        name = id.decode("utf-8", "replace")
        found = self._packed.get(name)
        if found is None:
            with self._lock:
                found = self._packed[name] = self._pack(name)
        return found

    def forget(self, ids: list[str]) -> None:
        """Drop what changed."""
        with self._lock:
            for id in ids:
                self._packed.pop(id, None)

    def _pack(self, id: str) -> bytes:
        try:
            entry = self._registry.get(id)
        except RegistryError:
            raise ProcessError(f"no such entry: {id}", kind=NOT_FOUND, retryable=False) from None
        info = CATALOG.get(entry.kind)
        if info is None or not info.lua:
            if info is not None and not info.runs:
                raise unavailable(entry)
            return self._describe(entry)
        if not info.runs:
            raise unavailable(entry)
        model: LibraryLuaSpec = self._registry.decode(entry)
        ref = self._registry.source_of(id)
        text = self._front_end.translate(model.source, ref.name)
        mailbox = model.mailbox if isinstance(model, ProcessLuaSpec) else None
        fields: dict[str, Any] = {
            "id": id,
            "kind": entry.kind,
            "number": self._number(id),
            "method": getattr(model, "method", ""),
            "modules": list(model.modules),
            "imports": dict(model.imports),
            "name": ref.name,
            "stateless": self._front_end.stateless(model.source, ref.name),
        }
        if isinstance(model, FunctionLuaSpec):
            bounds = pool_bounds(model.pool)
            fields["keep"] = bounds.keep
            if bounds.bound:
                fields["pool"] = {"bound": bounds.bound, "shared": bounds.shared, "buffer": bounds.buffer}
        fields.update(_call_fields(entry))
        if mailbox is not None and mailbox.limit:
            fields["limit"] = mailbox.limit
            fields["overflow"] = mailbox.overflow
        packed_fields = check(fields)
        packed_fields["text"] = text
        return pack(packed_fields)

    def _describe(self, entry: Entry) -> bytes:
        # the kernel refuses it by its kind, with the caller's words
        return pack(
            check(
                {
                    "id": entry.id,
                    "kind": entry.kind,
                    "number": self._number(entry.id),
                    "method": "",
                    "modules": [],
                    "imports": {},
                    "name": entry.id,
                    "text": "",
                    **_call_fields(entry),
                }
            )
        )


def source_fault(id: str, source: str | bytes, ref: SourceRef, front_end: FrontEnd) -> Fault | None:
    """Return what the front end refuses in the source of an entry, with the file and line of the source."""
    try:
        front_end.translate(source, ref.name)
    except SourceError as error:
        line = ref.first_line + error.line - 1
        text = f"{error.message} (column {error.column})"
        return Fault(Severity.FAULT, ref.file or ref.name, line, id, "source", text, "")
    return None


def source_faults(folder: Folder) -> list[Fault]:
    """Return what the front end refuses in the Lua sources of a folder, whatever else is wrong with it."""
    front_end = FrontEnd()
    found = []
    for entry in folder.entries:
        source = entry.data.get("source") if isinstance(entry.data, Mapping) else None
        # a file that cannot be read and a placeholder are others' concern
        if entry.kind in LUA_KINDS and isinstance(source, str) and not source.startswith("file://"):
            found.append(source_fault(entry.id, source, folder.source_of(entry), front_end))
    return [fault for fault in found if fault is not None]


def _call_fields(entry: Entry) -> dict[str, Any]:
    """Return what calls of an entry want to know of its meta (spec registry.md §2.1)."""
    fields: dict[str, Any] = {}
    options = entry.meta.get("options")
    if isinstance(options, Mapping) and options:
        fields["options"] = options
    host = entry.meta.get("default_host")
    if host is None and isinstance(options, Mapping):
        host = options.get("default_host")
    if isinstance(host, str) and host:
        fields["default_host"] = host if ":" in host else f"{entry.id.partition(':')[0]}:{host}"
    return fields


def unavailable(entry: Entry) -> ProcessError:
    """Return the error for the use of an entry whose kind this release does not run yet."""
    return ProcessError(
        f"{entry.id} is a {entry.kind}, which this release does not run yet", kind=UNAVAILABLE, retryable=False
    )
