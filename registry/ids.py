"""Identifiers of entries: ``namespace:name``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from registry.errors import INVALID, RegistryError

NAMESPACE_RULE = "letters, digits, '_', '.' and '-'"
NAME_RULE = "letters, digits, '_', '.', '-', ':' and '/'"
_NAMESPACE = re.compile(r"[A-Za-z0-9_.\-]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.\-:/]+", re.ASCII)


class EntryId(NamedTuple):
    """A parsed id; ``str()`` gives ``namespace:name``, or the bare name when there is no namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}:{self.name}" if self.namespace else self.name


def valid_namespace(text: str) -> bool:
    """Say whether a text may be a namespace (spec registry.md OP-3)."""
    return _NAMESPACE.fullmatch(text) is not None


def valid_name(text: str) -> bool:
    """Say whether a text may be the name of an entry (spec registry.md OP-3)."""
    return _NAME.fullmatch(text) is not None


def split_id(text: str) -> EntryId:
    """Split at the first colon without any check; a bare name has an empty namespace."""
    namespace, colon, name = text.partition(":")
    return EntryId(namespace, name) if colon else EntryId("", namespace)


def parse_id(value: str | EntryId | Mapping[str, Any]) -> EntryId:
    """Read a full id from ``"shop:procs"`` or ``{"ns": "shop", "name": "procs"}``.

    Raises:
        RegistryError: kind Invalid, when a part is missing or holds a character that is not allowed.
    """
    if isinstance(value, EntryId):
        parsed = value
    elif isinstance(value, str):
        parsed = split_id(value)
    elif isinstance(value, Mapping) and isinstance(value.get("ns"), str) and isinstance(value.get("name"), str):
        parsed = EntryId(value["ns"], value["name"])
    else:
        raise RegistryError(f"invalid id {value!r}: write 'namespace:name'", kind=INVALID)
    if not parsed.namespace or not parsed.name:
        raise RegistryError(f"invalid id {str(parsed)!r}: write both parts, 'namespace:name'", kind=INVALID)
    if not valid_namespace(parsed.namespace):
        raise RegistryError(f"invalid namespace {parsed.namespace!r}: use {NAMESPACE_RULE}", kind=INVALID)
    if not valid_name(parsed.name):
        raise RegistryError(f"invalid name {parsed.name!r}: use {NAME_RULE}", kind=INVALID)
    return parsed


def complete(ref: str, namespace: str) -> str:
    """Complete a bare name with a namespace; a reference that has one stays as it is."""
    return ref if ":" in ref or not ref or not namespace else f"{namespace}:{ref}"
