"""An unchanging view of all entries at one version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from registry.entry import Entry
from registry.errors import NOT_FOUND, RegistryError
from registry.faults import nearest
from registry.ids import EntryId, parse_id
from registry.query import conditions, select


class Snapshot:
    """The entries of one version; later changes of the registry do not show in it.

    Attributes:
        version: the id of the version.
        entries: all entries by id; cannot be changed.
    """

    __slots__ = ("entries", "version")

    def __init__(self, entries: Mapping[str, Entry], version: int) -> None:
        self.entries: Mapping[str, Entry] = MappingProxyType(dict(entries))
        self.version = version

    def get(self, entry_id: str | EntryId | Mapping[str, Any]) -> Entry:
        """Return an entry; RegistryError of kind NotFound (with the nearest id) or Invalid."""
        return lookup(self.entries, entry_id)

    def find(self, query: Mapping[str, Any] | None = None, **named: Any) -> list[Entry]:
        """Return the entries that meet all conditions, sorted by id; see `Registry.find`."""
        return select(self.entries.values(), conditions(query, named))

    def namespace(self, name: str) -> list[Entry]:
        """Return the entries of one namespace, sorted by id."""
        return self.find({".ns": name})

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return (entry for _, entry in sorted(self.entries.items()))


def lookup(entries: Mapping[str, Entry], entry_id: str | EntryId | Mapping[str, Any]) -> Entry:
    """Return an entry of a state or raise NotFound."""
    if isinstance(entry_id, str) and entry_id in entries:
        return entries[entry_id]
    wanted = str(parse_id(entry_id))
    if wanted not in entries:
        hint = nearest(wanted, entries)
        raise RegistryError(f"entry not found: {wanted}" + (f"; {hint}" if hint else ""), kind=NOT_FOUND)
    return entries[wanted]
