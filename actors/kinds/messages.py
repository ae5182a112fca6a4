"""From the errors of the model library to problems in our own words."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from actors.kinds.fields import Expect, Spec
from registry import Problem, Severity
from registry.faults import Path, nearest, shown

_TYPES: Final = {
    "string_type": "a text",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}
_PLAIN: Final[dict[Any, str]] = {
    str: "a text",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a map",
}


def problems_of(error: ValidationError, model: type[Spec], kind: str) -> Iterator[Problem]:
    """Yield a problem for each error; an unknown field is a warning unless its block says otherwise."""
    for item in error.errors(include_url=False):
        path = tuple(item["loc"])
        sort, context = item["type"], item.get("ctx") or {}
        if sort == "extra_forbidden":
            yield _unknown(path, model, kind)
        elif sort == "missing":
            yield Problem(path, "nothing", _expected(_field(model, path)) or "a value")
        else:
            yield Problem(path, shown(item["input"]), _wanted(sort, context, item["msg"], _field(model, path)))


def _wanted(sort: str, context: Mapping[str, Any], message: str, field: FieldInfo | None) -> str:
    if sort == "expected" or sort == "literal_error":
        return str(context["expected"])
    number = "an integer" if _plain(field) is int else "a number"
    if sort == "greater_than_equal":
        return f"{number} of at least {context['ge']:g}"
    if sort == "less_than_equal":
        return f"{number} of at most {context['le']:g}"
    stated = _stated(field)
    return stated or _TYPES.get(sort) or message


def _unknown(path: Path, model: type[Spec], kind: str) -> Problem:
    block = _model_at(model, path[:-1])
    known = [] if block is None else list(block.model_fields)
    grave = bool(getattr(block, "unknown_is_fault", False))
    owner = f"a field of {kind}" if len(path) == 1 else f"a field of {'.'.join(str(step) for step in path[:-1])}"
    severity = Severity.FAULT if grave else Severity.WARNING
    return Problem(path, "an unknown field", owner, nearest(str(path[-1]), known), severity)


def _field(model: type[BaseModel], path: Path) -> FieldInfo | None:
    """Find the field that a path ends at; None for one inside a list or a map."""
    if not path or not isinstance(path[-1], str):
        return None
    block = _model_at(model, path[:-1])
    return None if block is None else block.model_fields.get(path[-1])


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for step in path:
        if isinstance(step, int):
            continue
        field = current.model_fields.get(step) if current is not None else None
        current = _model_in(field.annotation) if field is not None else None
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _model_in(part)) is not None), None)


def _expected(field: FieldInfo | None) -> str:
    stated = _stated(field)
    if stated or field is None:
        return stated
    return _PLAIN.get(_plain(field), "a map" if _model_in(field.annotation) else "a value")


def _stated(field: FieldInfo | None) -> str:
    """Return what a field says about itself; the innermost statement is the most general one, the last wins."""
    statements = [item.text for item in field.metadata if isinstance(item, Expect)] if field is not None else []
    return statements[-1] if statements else ""


def _plain(field: FieldInfo | None) -> Any:
    annotation = field.annotation if field is not None else None
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        annotation = next((part for part in typing.get_args(annotation) if part is not type(None)), None)
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    origin = typing.get_origin(annotation)
    return annotation if origin is None else origin
