"""Checking entries against their kinds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from actors.kinds.catalog import CATALOG, KindInfo
from actors.kinds.fields import Spec
from actors.kinds.messages import problems_of
from actors.kinds.meta import check_meta
from actors.kinds.relations import check_relations
from registry import Checked, Entry, Problem
from registry.faults import Path, nearest, shown


class EntryKinds:
    """The kinds of this runtime, as the registry wants them (`registry.Kinds`).

    Args:
        catalog: the kinds by name; all of them when not given.
    """

    def __init__(self, catalog: Mapping[str, KindInfo] = CATALOG) -> None:
        self._catalog = catalog

    def check(self, entry: Entry, data: Any) -> Checked:
        """Decode the data of one entry and return its model with all problems."""
        kind = self._catalog.get(entry.kind)
        if kind is None:
            hint = nearest(entry.kind, self._catalog)
            return Checked(None, (Problem(("kind",), shown(entry.kind), "an entry kind", hint),))
        problems = list(check_meta(entry))
        model_type = kind.model
        if model_type is None:
            return Checked(data, tuple(problems))
        if not isinstance(data, dict):
            return Checked(None, (*problems, Problem((), shown(data), f"a map of the fields of {kind.name}")))
        problems.extend(model_type.faults(data))
        model, found = _decode(model_type, data, entry)
        return Checked(model, (*problems, *found))

    def check_all(self, entries: Mapping[str, Entry], deleted: Collection[str]) -> Iterable[tuple[str, Problem]]:
        """Yield what is wrong between entries."""
        return check_relations(entries, deleted)


def _decode(model: type[Spec], data: dict[Any, Any], entry: Entry) -> tuple[Spec | None, list[Problem]]:
    context = {"namespace": entry.namespace}
    try:
        return model.model_validate(data, context=context), []
    except ValidationError as error:
        problems = list(problems_of(error, model, entry.kind))
        unknown = [tuple(item["loc"]) for item in error.errors(include_url=False) if item["type"] == "extra_forbidden"]
    pruned: Any = data
    for path in unknown:
        pruned = _without(pruned, path)
    try:
        return model.model_validate(pruned, context=context), problems
    except ValidationError:
        return None, problems


def _without(value: Any, path: Path) -> Any:
    """Return a copy of nested maps and lists without one field."""
    if len(path) == 1:
        return {key: item for key, item in value.items() if key != path[0]}
    if isinstance(value, dict):
        return {key: _without(item, path[1:]) if key == path[0] else item for key, item in value.items()}
    return [_without(item, path[1:]) if index == path[0] else item for index, item in enumerate(value)]
