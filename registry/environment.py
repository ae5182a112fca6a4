"""The environment: variables and their storages, described by ``env.*`` entries (spec registry.md §10.8)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from registry import _envfile
from registry.entry import Entry
from registry.errors import CONFLICT, INVALID, NOT_FOUND, PERMISSION_DENIED, RegistryError
from registry.faults import Problem, nearest, shown
from registry.ids import complete
from registry.placeholders import Resolved, resolve

VARIABLE: Final = "env.variable"
STORAGE: Final = "env.storage."
_PUBLIC: Final = re.compile(r"[A-Za-z0-9_]+", re.ASCII)

Memory = dict[str, dict[str, str]]
"""What ``env.storage.memory`` entries hold, by entry id; it outlives the environments of single versions."""


class Environment:
    """Reads and sets variables as one state of the registry describes them.

    Args:
        entries: the state; everything but ``env.*`` entries is ignored.
        memory: the values of memory storages; shared by the environments of one registry.
        os_environ: the environment of the operating system; `os.environ` when not given.

    Reading is safe from any thread. Files are read at each use, so that changes made by others show.
    """

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        memory: Memory | None = None,
        os_environ: Mapping[str, str] | None = None,
    ) -> None:
        self._memory: Memory = {} if memory is None else memory
        self._os: Mapping[str, str] = os.environ if os_environ is None else os_environ
        self._entries = {entry.id: entry for entry in entries if entry.kind.startswith("env.")}
        self._public: dict[str, Entry] = {}
        self._plain: dict[str, Mapping[str, Any]] = {}  # data that depends on no variable
        for _, entry in sorted(self._entries.items()):
            name = _public_name(entry)
            if name:
                self._public.setdefault(name, entry)

    def variable(self, text: str, namespace: str = "") -> Entry | None:
        """Find the entry of a variable: by public name, by id completed with `namespace`, by id as written."""
        entry = self._public.get(text) or self._entries.get(complete(text, namespace)) or self._entries.get(text)
        return entry if entry is not None and entry.kind == VARIABLE else None

    def get(self, text: str, namespace: str = "") -> str:
        """Return the value of a variable: from its storage, else its default.

        Raises:
            RegistryError: kind Invalid for an empty text, NotFound when there is no such variable or it has no value.
        """
        return self._get(text, namespace, ())

    def set(self, text: str, value: str, namespace: str = "") -> None:
        """Store the value of a variable in its storage.

        Raises:
            RegistryError: kind NotFound for an unknown variable or storage, PermissionDenied when the variable or
                its storage is read-only.
        """
        entry = self._variable(text, namespace)
        if self._data(entry, ()).get("readonly") is True:
            raise RegistryError(f"the variable {text!r} is read-only", kind=PERMISSION_DENIED)
        self._write(_storage_id(entry), _public_name(entry) or entry.id, value, ())

    def all(self) -> dict[str, str]:
        """Return the values of all variables that have a public name and a value."""
        values: dict[str, str] = {}
        for name in sorted(self._public):
            try:
                values[name] = self.get(name)
            except RegistryError:
                continue
        return values

    def resolve(self, entry: Entry) -> Resolved:
        """Return the data of an entry with its placeholders and ``<field>_env`` siblings resolved."""
        return resolve(entry.data, entry.namespace, self.lookup)

    def lookup(self, text: str, namespace: str) -> str | None:
        """Return the value of a variable, or None when it does not exist or has none."""
        return self._lookup(text, namespace, ())

    def _lookup(self, text: str, namespace: str, trail: tuple[str, ...]) -> str | None:
        try:
            return self._get(text, namespace, trail)
        except RegistryError as error:
            if error.kind == NOT_FOUND:
                return None
            raise

    def _variable(self, text: str, namespace: str) -> Entry:
        if not text:
            raise RegistryError("the name of a variable must not be empty", kind=INVALID)
        entry = self.variable(text, namespace)
        if entry is None:
            hint = nearest(text, [*self._public, *self._entries])
            raise RegistryError(f"unknown variable {text!r}" + (f"; {hint}" if hint else ""), kind=NOT_FOUND)
        return entry

    def _get(self, text: str, namespace: str, trail: tuple[str, ...]) -> str:
        entry = self._variable(text, namespace)
        if entry.id in trail:
            raise RegistryError(f"the variable {text!r} needs its own value: {' -> '.join(trail)}", kind=INVALID)
        trail = (*trail, entry.id)
        value = self._read(_storage_id(entry), _public_name(entry) or entry.id, trail)
        if not value:
            default = self._data(entry, trail).get("default")
            value = default if isinstance(default, str) else ""
        if not value:
            raise RegistryError(f"the variable {text!r} has no value and no default", kind=NOT_FOUND)
        return value

    def _data(self, entry: Entry, trail: tuple[str, ...]) -> Mapping[str, Any]:
        known = self._plain.get(entry.id)
        if known is not None:
            return known
        asked = False

        def look(text: str, namespace: str) -> str | None:
            nonlocal asked
            asked = True
            return self._lookup(text, namespace, trail)

        found = resolve(entry.data, entry.namespace, look)
        if found.problems:
            problem = found.problems[0]
            raise RegistryError(f"{entry.id}: got {problem.got}, expected {problem.expected}", kind=INVALID)
        data: Mapping[str, Any] = found.data if isinstance(found.data, dict) else {}
        if not asked:
            self._plain[entry.id] = data
        return data

    def _storage(self, storage: str, trail: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
        entry = self._entries.get(storage)
        if entry is None or not entry.kind.startswith(STORAGE):
            raise RegistryError(f"unknown storage {storage!r}", kind=NOT_FOUND)
        if storage in trail:
            raise RegistryError(f"the storage {storage!r} routes to itself", kind=INVALID)
        return entry.kind[len(STORAGE) :], self._data(entry, (*trail, storage))

    def _read(self, storage: str, key: str, trail: tuple[str, ...]) -> str:
        sort, data = self._storage(storage, trail)
        if sort == "memory":
            return self._memory.get(storage, {}).get(key, "")
        if sort == "os":
            return self._os.get(key, "")
        if sort == "static":
            values = data.get("values")
            value = values.get(key) if isinstance(values, dict) else None
            return value if isinstance(value, str) else ""
        if sort == "file":
            path = data.get("file_path")
            return _envfile.read(path).get(key, "") if isinstance(path, str) else ""
        for target in _routes(self._entries[storage], data):
            value = self._read(target, key, (*trail, storage))
            if value:
                return value
        return ""

    def _write(self, storage: str, key: str, value: str, trail: tuple[str, ...]) -> None:
        sort, data = self._storage(storage, trail)
        if sort == "memory":
            self._memory.setdefault(storage, {})[key] = value
        elif sort == "file":
            _envfile.write(data, key, value)
        elif sort == "router":
            routes = list(_routes(self._entries[storage], data))
            if not routes:
                raise RegistryError(f"the router {storage!r} has no storages", kind=NOT_FOUND)
            self._write(routes[0], key, value, (*trail, storage))
        else:
            raise RegistryError(f"the storage {storage!r} is read-only (env.storage.{sort})", kind=PERMISSION_DENIED)


def check_environment(entries: Mapping[str, Entry]) -> Iterator[tuple[str, Problem]]:
    """Yield what is wrong between the ``env.*`` entries of a state: names taken, storages missing."""
    owners: dict[str, str] = {}
    for entry_id, entry in sorted(entries.items()):
        if not entry.kind.startswith("env.") or not isinstance(entry.data, dict):
            continue
        name = _public_name(entry)
        if name:
            owner = owners.setdefault(name, entry_id)
            if owner != entry_id:
                got = f"the public name {name!r}, which {owner} has"
                yield entry_id, Problem(("variable",), got, "a name of its own", kind=CONFLICT)
        if entry.kind == VARIABLE and isinstance(entry.data.get("storage"), str):
            yield from _check_storage(entry, ("storage",), _storage_id(entry), entries)
        if entry.kind == STORAGE + "router" and isinstance(entry.data.get("storages"), list):
            for index, target in enumerate(_routes(entry, entry.data)):
                yield from _check_storage(entry, ("storages", index), target, entries)


def _check_storage(
    entry: Entry, path: tuple[str | int, ...], target: str, entries: Mapping[str, Entry]
) -> Iterator[tuple[str, Problem]]:
    found = entries.get(target)
    if not target or (found is not None and found.kind.startswith(STORAGE)):
        return
    storages = [entry_id for entry_id, other in entries.items() if other.kind.startswith(STORAGE)]
    got = shown(target) if found is None else f"{target!r} of kind {found.kind}"
    hint = "" if found else nearest(target, storages)
    yield entry.id, Problem(path, got, "the id of an env.storage.* entry", hint, kind=INVALID if found else NOT_FOUND)


def _public_name(entry: Entry) -> str:
    if entry.kind != VARIABLE or not isinstance(entry.data, dict):
        return ""
    name = entry.data.get("variable")
    return name if isinstance(name, str) and _PUBLIC.fullmatch(name) else ""


def _storage_id(entry: Entry) -> str:
    storage = entry.data.get("storage") if isinstance(entry.data, dict) else None
    return complete(storage, entry.namespace) if isinstance(storage, str) else ""


def _routes(entry: Entry, data: Mapping[str, Any]) -> Iterator[str]:
    targets = data.get("storages")
    for target in targets if isinstance(targets, list) else ():
        yield complete(target, entry.namespace) if isinstance(target, str) else ""
