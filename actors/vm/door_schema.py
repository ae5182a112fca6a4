"""JSON Schema behind the door: a subset of draft 2020-12, bounded in what a schema may cost."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from actors.errors import INTERNAL, INVALID, ProcessError

Json = Any  # what json.loads gives

_DEEPEST: Final = 200
_STEPS: Final = 100_000
_SHOWN: Final = 10
_UNSUPPORTED: Final = (
    *("pattern", "patternProperties", "unevaluatedItems", "unevaluatedProperties"),
    *("$dynamicRef", "$dynamicAnchor", "$anchor", "$recursiveRef"),
)
_TYPES: Final = ("null", "boolean", "object", "array", "number", "integer", "string")
_ONE: Final = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("$defs", "definitions", "dependentSchemas", "properties")
_COUNTS: Final = (
    *("maxContains", "maxItems", "maxLength", "maxProperties"),
    *("minContains", "minItems", "minLength", "minProperties"),
)
_NUMBERS: Final = ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf")


def validate(schema: bytes, value: bytes) -> bytes:
    """Return what is wrong with the JSON text `value` under the JSON text `schema`: one fault a line, empty for none.

    The keywords of draft 2020-12 but for regular expressions (which cannot be bounded), anchors and the
    `unevaluated…` ones: a schema that uses these is refused. Formats and unknown keywords are annotations.

    Raises:
        ProcessError: a bad schema, kind Invalid; a text that is no JSON, kind Internal.
    """
    root = _schema(schema)
    try:
        document = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ProcessError(f"the value is no JSON: {error}", kind=INTERNAL) from error
    faults = _Run(root).faults(root, document, "$", 0)
    shown: list[str] = []
    for fault in faults:
        if len(shown) == _SHOWN:
            shown.append("and more")
            break
        shown.append(fault)
    return "\n".join(shown).encode("utf-8", "replace")


@lru_cache(maxsize=64)
def _schema(text: bytes) -> Json:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProcessError(f"the schema is no JSON: {error}", kind=INVALID) from error
    _check(schema, "schema", 0)
    return schema


def _bad(where: str, got: object, expected: str) -> ProcessError:
    return ProcessError(f"{where}: got {json.dumps(got)[:60]}, expected {expected}", kind=INVALID)


def _check(schema: Json, where: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ProcessError(f"{where}: nested too deep", kind=INVALID)
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        # an empty table of Lua is an empty list
        if schema == []:
            return
        raise _bad(where, schema, "an object or a boolean")
    for key, value in schema.items():
        at = f"{where}.{key}"
        if key in _UNSUPPORTED:
            raise ProcessError(f"{at}: this keyword is not supported", kind=INVALID)
        if key in _ONE:
            _check(value, at, depth + 1)
        elif key in _LISTS:
            if not isinstance(value, list) or not value:
                raise _bad(at, value, "a list of schemas that is not empty")
            for index, inner in enumerate(value):
                _check(inner, f"{at}[{index}]", depth + 1)
        elif key in _MAPS:
            if not isinstance(value, dict) and value != []:
                raise _bad(at, value, "an object of schemas")
            for name, inner in dict(value).items():
                _check(inner, f"{at}.{name}", depth + 1)
        else:
            _check_plain(key, value, at)


def _check_plain(key: str, value: Json, at: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key == "type":
        for name in value if isinstance(value, list) else [value]:
            if name not in _TYPES:
                raise _bad(at, name, f"one of {', '.join(_TYPES)}")
    elif key == "enum" and not isinstance(value, list):
        raise _bad(at, value, "a list")
    elif key == "required" and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise _bad(at, value, "a list of names")
    elif key in _COUNTS and not (number and value >= 0 and value == int(value)):
        raise _bad(at, value, "a count")
    elif key in _NUMBERS and not (number and (key != "multipleOf" or value > 0)):
        raise _bad(at, value, "a number" if key != "multipleOf" else "a number above 0")
    elif key == "uniqueItems" and not isinstance(value, bool):
        raise _bad(at, value, "true or false")
    elif key == "$ref" and not (isinstance(value, str) and (value == "#" or value.startswith("#/"))):
        raise _bad(at, value, "a reference within the schema, such as '#/$defs/name'")
    elif key == "dependentRequired" and not isinstance(value, dict):
        raise _bad(at, value, "an object of lists of names")


def _is(value: Json, kind: str) -> bool:
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    if kind == "array":
        return isinstance(value, list)
    if kind == "object":
        return isinstance(value, dict)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return kind == "number" or value == value // 1


def _key(value: Json) -> str:
    """A text that is equal for equal JSON values: 1 and 1.0 are, 1 and true are not."""

    def plain(inner: Json) -> Json:
        if isinstance(inner, float) and inner == inner // 1:
            return int(inner)
        if isinstance(inner, list):
            return [plain(item) for item in inner]
        if isinstance(inner, dict):
            return {name: plain(item) for name, item in inner.items()}
        return inner

    return json.dumps(plain(value), sort_keys=True)


class _Run:
    """One validation: the root for references, and the steps that are left."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._left = _STEPS

    def faults(self, schema: Json, value: Json, where: str, depth: int) -> Iterator[str]:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise ProcessError("the schema needs too many steps for this value", kind=INVALID)
        if schema is False:
            yield f"{where}: nothing is allowed here"
        if not isinstance(schema, dict):
            return
        yield from self._of_any(schema, value, where, depth)
        if isinstance(value, dict):
            yield from self._of_object(schema, value, where, depth)
        elif isinstance(value, list):
            yield from self._of_list(schema, value, where, depth)
        elif isinstance(value, str):
            yield from _bounds(schema, len(value), where, "Length", "characters")
        elif not isinstance(value, bool) and isinstance(value, int | float):
            yield from _of_number(schema, value, where)

    def _holds(self, schema: Json, value: Json, where: str, depth: int) -> bool:
        return next(self.faults(schema, value, where, depth + 1), None) is None

    def _resolve(self, reference: str) -> Json:
        found = self._root
        for part in reference[2:].split("/") if reference != "#" else ():
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise ProcessError(f"schema: nothing at the reference {reference!r}", kind=INVALID)
        return found

    def _of_any(self, schema: Mapping[str, Json], value: Json, where: str, depth: int) -> Iterator[str]:
        if "$ref" in schema:
            yield from self.faults(self._resolve(schema["$ref"]), value, where, depth + 1)
        if "type" in schema:
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            # an empty table of Lua is an empty list, which may as well be meant as an object
            if not any(_is(value, kind) for kind in kinds) and not (value == [] and "object" in kinds):
                yield f"{where}: expected {' or '.join(kinds)}"
        if "const" in schema and _key(value) != _key(schema["const"]):
            yield f"{where}: expected {json.dumps(schema['const'])[:80]}"
        if "enum" in schema and _key(value) not in {_key(choice) for choice in schema["enum"]}:
            yield f"{where}: expected one of {json.dumps(schema['enum'])[:80]}"
        for inner in schema.get("allOf", ()):
            yield from self.faults(inner, value, where, depth + 1)
        if "anyOf" in schema and not any(self._holds(inner, value, where, depth) for inner in schema["anyOf"]):
            yield f"{where}: fits none of anyOf"
        if "oneOf" in schema:
            fitting = sum(self._holds(inner, value, where, depth) for inner in schema["oneOf"])
            if fitting != 1:
                yield f"{where}: fits {fitting} of oneOf instead of one"
        if "not" in schema and self._holds(schema["not"], value, where, depth):
            yield f"{where}: fits what is not allowed"
        if "if" in schema:
            branch = "then" if self._holds(schema["if"], value, where, depth) else "else"
            yield from self.faults(schema.get(branch, True), value, where, depth + 1)

    def _of_object(
        self, schema: Mapping[str, Json], value: Mapping[str, Json], where: str, depth: int
    ) -> Iterator[str]:
        yield from _bounds(schema, len(value), where, "Properties", "properties")
        required = list(schema.get("required", ()))
        for name, more in schema.get("dependentRequired", {}).items():
            if name in value:
                required += more
        for name in required:
            if name not in value:
                yield f"{where}.{name}: required, but missing"
        for name, inner in dict(schema.get("dependentSchemas", ())).items():
            if name in value:
                yield from self.faults(inner, value, where, depth + 1)
        known = dict(schema.get("properties", ()))
        for name, item in value.items():
            if "propertyNames" in schema:
                yield from self.faults(schema["propertyNames"], name, f"{where}.{name} (its name)", depth + 1)
            yield from self.faults(
                known.get(name, schema.get("additionalProperties", True)), item, f"{where}.{name}", depth + 1
            )

    def _of_list(self, schema: Mapping[str, Json], value: list[Json], where: str, depth: int) -> Iterator[str]:
        yield from _bounds(schema, len(value), where, "Items", "items")
        if schema.get("uniqueItems") and len({_key(item) for item in value}) != len(value):
            yield f"{where}: the items are not unique"
        if "contains" in schema:
            fitting = sum(self._holds(schema["contains"], item, where, depth) for item in value)
            least, most = schema.get("minContains", 1), schema.get("maxContains", len(value))
            if not least <= fitting <= most:
                yield f"{where}: {fitting} items fit 'contains', expected {least} to {most}"
        first = schema.get("prefixItems", [])
        for index, item in enumerate(value):
            inner = first[index] if index < len(first) else schema.get("items", True)
            yield from self.faults(inner, item, f"{where}[{index + 1}]", depth + 1)


def _bounds(schema: Mapping[str, Json], size: int, where: str, what: str, unit: str) -> Iterator[str]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if least is not None and size < least:
        yield f"{where}: {size} {unit}, expected at least {least}"
    if most is not None and size > most:
        yield f"{where}: {size} {unit}, expected at most {most}"


def _of_number(schema: Mapping[str, Json], value: float, where: str) -> Iterator[str]:
    bounds: dict[str, float] = {key: schema[key] for key in _NUMBERS if key in schema}
    wrong = {
        "minimum": (value < bounds.get("minimum", value), "at least"),
        "maximum": (value > bounds.get("maximum", value), "at most"),
        "exclusiveMinimum": (value <= bounds.get("exclusiveMinimum", value - 1), "more than"),
        "exclusiveMaximum": (value >= bounds.get("exclusiveMaximum", value + 1), "less than"),
        "multipleOf": (not _is_multiple(value, bounds.get("multipleOf")), "a multiple of"),
    }
    for key, bound in bounds.items():
        if wrong[key][0]:
            yield f"{where}: {value}, expected {wrong[key][1]} {bound}"


def _is_multiple(value: float, step: float | None) -> bool:
    if step is None:
        return True
    times = value / step
    return math.isfinite(times) and abs(times - round(times)) <= 1e-9
