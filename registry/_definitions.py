"""From the value of a definition file to entries (spec registry.md §1-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from registry._documents import Place
from registry.entry import Entry
from registry.faults import Fault, Path, Severity, dotted, nearest, shown
from registry.ids import NAME_RULE, NAMESPACE_RULE, valid_name, valid_namespace
from registry.values import freeze

_NOT_DATA: Final = frozenset({"name", "kind", "meta"})
_NOT_DATA_SINGLE: Final = frozenset({"namespace", "name", "kind", "meta", "version", "requirements", "entries"})


@dataclass(frozen=True, slots=True)
class Definition:
    """One entry of a file, where it stands, and whether its data is under a ``data`` key."""

    entry: Entry
    place: Place
    wrapped: bool


def read_definitions(value: dict[Any, Any], place: Place, file: str) -> tuple[list[Definition], list[Fault]]:
    """Return the entries that a file with a namespace defines, and every fault of the file."""
    return _Reader(value, place, file).read()


def subject(value: dict[Any, Any], path: Path) -> tuple[str, str]:
    """Name the entry and the field that a path through a whole definition file leads to."""
    item, label, field = value, "", path
    if len(path) > 1 and path[0] == "entries" and isinstance(path[1], int):
        item, label, field = value["entries"][path[1]], f"entry[{path[1]}]", path[2:]
    name = item.get("name") if isinstance(item, dict) else None
    if isinstance(name, str) and name.strip():
        label = f"{value.get('namespace')}:{name}"
    return label, dotted(field)


class _Reader:
    def __init__(self, value: dict[Any, Any], place: Place, file: str) -> None:
        self._value = value
        self._place = place
        self._file = file
        self._faults: list[Fault] = []
        self._definitions: list[Definition] = []

    def read(self) -> tuple[list[Definition], list[Fault]]:
        value = self._value
        namespace = value["namespace"]
        if not isinstance(namespace, str):
            self._fault(self._place, "namespace", "", shown(namespace), "a text")
        elif not valid_namespace(namespace):
            self._fault(self._place, "namespace", "", shown(namespace), NAMESPACE_RULE)
        if "entries" in value:
            self._batch(namespace, value["entries"])
        elif "name" in value or "kind" in value:
            self._entry(namespace, "entry[0]", value, self._place, {}, single=True)
        else:
            hint = nearest("entries", [key for key in value if isinstance(key, str)]).replace("did you mean", "is it")
            self._fault(self._place, "namespace", "", "a namespace without entries", "a list 'entries'", hint)
        return self._definitions, self._faults

    def _batch(self, namespace: Any, entries: Any) -> None:
        if not isinstance(entries, list):
            self._fault(self._place, "entries", "", shown(entries), "a list of entries")
            return
        shared = self._value.get("meta")
        if shared is None:
            shared = {}
        elif not isinstance(shared, dict):
            self._fault(self._place, "meta", "", shown(shared), "a map")
            shared = {}
        place = self._place.at(("entries",))
        for index, item in enumerate(entries):
            label = f"entry[{index}]"
            if isinstance(item, dict):
                self._entry(namespace, label, item, place.at((index,)), shared, single=False)
            else:
                self._fault(place.at((index,)), "", label, shown(item), "a map with name and kind")

    def _entry(self, namespace: Any, label: str, item: dict[Any, Any], place: Place, shared: Any, single: bool) -> None:
        before = len(self._faults)
        name, kind, meta = item.get("name"), item.get("kind"), item.get("meta")
        if not isinstance(name, str) or not name.strip():
            self._fault(place, "name", label, shown(name), "a text that is not blank", self._misspelt("name", item))
        elif not valid_name(name):
            self._fault(place, "name", label, shown(name), NAME_RULE)
        else:
            label = f"{namespace}:{name}"
        if not isinstance(kind, str) or not kind.strip():
            self._fault(place, "kind", label, shown(kind), "a text that is not blank", self._misspelt("kind", item))
        if meta is not None and not isinstance(meta, dict):
            self._fault(place, "meta", label, shown(meta), "a map")
        if len(self._faults) > before or not isinstance(namespace, str) or not valid_namespace(namespace):
            return
        wrapped = not single and "data" in item
        if wrapped:
            data = item["data"]
            if data is None:
                self._fault(place, "data", label, "nothing", "the data of the entry")
                return
        else:
            left_out = _NOT_DATA_SINGLE if single else _NOT_DATA
            data = {key: field for key, field in item.items() if key not in left_out}
        if shared:
            meta = {**shared, **(meta or {})}
        entry = Entry(label, str(kind), freeze(meta or {}), freeze(data))
        self._definitions.append(Definition(entry, place, wrapped))

    def _misspelt(self, wanted: str, item: dict[Any, Any]) -> str:
        hint = nearest(wanted, [key for key in item if isinstance(key, str) and key not in _NOT_DATA])
        return hint.replace("did you mean", "is it written as") if wanted not in item else ""

    def _fault(self, place: Place, field: str, entry: str, got: str, expected: str, hint: str = "") -> None:
        line = place.at((field,)).line if field else place.line
        self._faults.append(Fault(Severity.FAULT, self._file, line, entry, field, got, expected, hint))
