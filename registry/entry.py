"""The entry: one typed record of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.errors import INVALID, RegistryError
from registry.ids import EntryId, parse_id, split_id
from registry.values import EMPTY, FrozenDict, freeze, same, thaw


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: id, kind, meta and data (spec registry.md §2).

    What is given as meta and data is copied and frozen; changing the original afterwards has no effect here.

    Attributes:
        id: ``namespace:name``.
        kind: such as ``process.lua``.
        meta: a map for search.
        data: what the kind's handler reads, as written: texts of ``file://`` values are in it, placeholders are
            not resolved.

    Raises:
        RegistryError: kind Invalid, when the id is no full id or a value is not plain.
    """

    id: str
    kind: str
    meta: Mapping[str, Any] = field(default_factory=FrozenDict, hash=False)
    data: Any = field(default_factory=FrozenDict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", str(parse_id(self.id)))
        if not isinstance(self.kind, str):
            raise RegistryError(f"invalid kind {self.kind!r} of {self.id}: write a text", kind=INVALID)
        if self.meta is None:
            object.__setattr__(self, "meta", EMPTY)
        elif not isinstance(self.meta, Mapping):
            raise RegistryError(
                f"invalid meta of {self.id}: got {type(self.meta).__name__}, expected a map", kind=INVALID
            )
        for name in ("meta", "data"):
            try:
                object.__setattr__(self, name, freeze(getattr(self, name)))
            except (TypeError, ValueError) as error:
                raise RegistryError(f"invalid {name} of {self.id}: {error}", kind=INVALID) from error

    @property
    def namespace(self) -> str:
        """The part of the id before the first colon."""
        return split_id(self.id).namespace

    @property
    def name(self) -> str:
        """The part of the id after the first colon."""
        return split_id(self.id).name

    def same_as(self, other: Entry) -> bool:
        """Say whether kind, meta and data are the same (deeply; ``true`` is not ``1``)."""
        return self.kind == other.kind and same(self.meta, other.meta) and same(self.data, other.data)

    def record(self) -> dict[str, Any]:
        """Return ``{id, kind, meta, data}`` made of ordinary, changeable values."""
        return {"id": self.id, "kind": self.kind, "meta": thaw(self.meta), "data": thaw(self.data)}

    @classmethod
    def of(cls, value: Entry | Mapping[str, Any]) -> Entry:
        """Read an entry from a record; ``id`` may be a text or ``{ns, name}``.

        Raises:
            RegistryError: kind Invalid, when the id is not whole or the kind is missing.
        """
        if isinstance(value, Entry):
            return value
        kind = value.get("kind")
        if not isinstance(kind, str) or not kind.strip():
            raise RegistryError("invalid entry: kind is missing", kind=INVALID)
        raw_id: str | EntryId | Mapping[str, Any] = value.get("id") or ""
        return cls(str(parse_id(raw_id)), kind, value.get("meta") or EMPTY, value.get("data"))
