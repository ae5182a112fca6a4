"""json.validate: a subset of JSON Schema 2020-12."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.errors import ProcessError
from actors.vm.door_schema import validate
from tests.lua.harness import Lua

TREE = {"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["v"]}}}


def faults(schema: Any, value: Any) -> str:
    return validate(json.dumps(schema).encode(), json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    ("schema", "good", "bad", "fault"),
    [
        (False, None, 1, "$: nothing is allowed here"),
        ({"type": "integer"}, 3.0, 3.5, "$: expected integer"),
        ({"type": "number"}, 3.5, True, "$: expected number"),
        ({"type": ["string", "null"]}, None, 1, "$: expected string or null"),
        ({"type": "object"}, {}, [1], "$: expected object"),
        ({"const": 1}, 1.0, True, "$: expected 1"),
        ({"enum": ["a", {"b": 1}]}, {"b": 1.0}, "b", '$: expected one of ["a", {"b": 1}]'),
        ({"minimum": 2}, 2, 1, "$: 1, expected at least 2"),
        ({"maximum": 2}, 2, 3, "$: 3, expected at most 2"),
        ({"exclusiveMinimum": 2}, 3, 2, "$: 2, expected more than 2"),
        ({"exclusiveMaximum": 2}, 1, 2, "$: 2, expected less than 2"),
        ({"multipleOf": 0.1}, 0.3, 0.25, "$: 0.25, expected a multiple of 0.1"),
        ({"minLength": 2}, "äö", "ä", "$: 1 characters, expected at least 2"),
        ({"maxLength": 1}, "ä", "äö", "$: 2 characters, expected at most 1"),
        ({"minItems": 1}, [1], [], "$: 0 items, expected at least 1"),
        ({"maxItems": 1}, [1], [1, 2], "$: 2 items, expected at most 1"),
        ({"uniqueItems": True}, [1, True], [1, 1.0], "$: the items are not unique"),
        ({"items": {"type": "string"}}, ["a"], ["a", 1], "$[2]: expected string"),
        ({"prefixItems": [{"type": "null"}], "items": False}, [None], [None, 1], "$[2]: nothing is allowed here"),
        ({"contains": {"const": 1}}, [0, 1], [0], "$: 0 items fit 'contains', expected 1 to 1"),
        ({"contains": {"const": 1}, "maxContains": 1}, [1], [1, 1], "$: 2 items fit 'contains', expected 1 to 1"),
        ({"minProperties": 1}, {"a": 1}, {}, "$: 0 properties, expected at least 1"),
        ({"maxProperties": 1}, {"a": 1}, {"a": 1, "b": 1}, "$: 2 properties, expected at most 1"),
        ({"required": ["a"]}, {"a": 1}, {"b": 1}, "$.a: required, but missing"),
        ({"properties": {"a": {"type": "null"}}}, {"a": None}, {"a": 1}, "$.a: expected null"),
        ({"additionalProperties": False}, {}, {"a": 1}, "$.a: nothing is allowed here"),
        ({"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}, "$.ab (its name): 2 characters, expected at most 1"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}, "$.b: required, but missing"),
        (
            {"dependentSchemas": {"a": {"maxProperties": 1}}},
            {"a": 1},
            {"a": 1, "b": 1},
            "$: 2 properties, expected at most 1",
        ),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 1, 3, "$: 3, expected at most 2"),
        ({"anyOf": [{"type": "null"}, {"minimum": 2}]}, 2, 1, "$: fits none of anyOf"),
        ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 1, 2, "$: fits 2 of oneOf instead of one"),
        ({"not": {"type": "null"}}, 1, None, "$: fits what is not allowed"),
        (
            {"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 1}},
            "a",
            0,
            "$: 0, expected at least 1",
        ),
        (
            {**TREE, "$ref": "#/$defs/node"},
            {"v": 1, "next": {"v": 2}},
            {"v": 1, "next": {}},
            "$.next.v: required, but missing",
        ),
    ],
)
def test_each_keyword_allows_and_refuses(schema: Any, good: Any, bad: Any, fault: str) -> None:
    if schema is not False:
        assert faults(schema, good) == ""
    assert faults(schema, bad) == fault


def test_all_faults_are_told_up_to_ten() -> None:
    assert faults({"items": {"type": "null"}}, [1, 2]) == "$[1]: expected null\n$[2]: expected null"
    assert faults({"items": {"type": "null"}}, list(range(50))).count("\n") == 10


@pytest.mark.parametrize(
    "schema",
    [
        *(5, [1], {"type": "text"}, {"enum": 1}, {"required": "a"}, {"minLength": -1}, {"minimum": "1"}),
        *({"multipleOf": 0}, {"properties": 1}, {"allOf": []}, {"items": 3}, {"$ref": "http://x"}, {"pattern": "a"}),
        *({"$ref": "#"}, {"$ref": "#/$defs/x"}, {"properties": {"a": {"type": 1}}}, {"uniqueItems": 1}),
    ],
)
def test_a_bad_schema_is_invalid(schema: Any) -> None:
    with pytest.raises(ProcessError) as caught:
        faults(schema, {"a": 1})
    assert caught.value.kind == "Invalid"


def test_a_schema_that_multiplies_is_stopped() -> None:
    schema: dict[str, Any] = {"$defs": {"d0": {"type": "null"}}, "$ref": "#/$defs/d40"}
    for level in range(40):
        inner = {"$ref": f"#/$defs/d{level}"}
        schema["$defs"][f"d{level + 1}"] = {"anyOf": [inner, inner]}
    with pytest.raises(ProcessError, match="too many steps"):
        faults(schema, 1)


def test_scripts_validate_tables_and_texts() -> None:
    lua = Lua()
    assert lua.run(
        """local json = module("json")
        local schema = {type = "object", properties = {n = {type = "integer"}}, required = {"n"}}
        local a = json.validate(schema, {n = 1})
        local b, err = json.validate(schema, {n = "x"})
        local c, bad = json.validate('{"type": 5}', 1)
        local d = json.validate_string(schema, '{"n": 2}')
        local e, syntax = json.validate_string(schema, '{"n": ')
        local f, kind = json.validate_string(schema, 5)
        local g, none = json.validate(nil, 5)
        local h = json.validate({type = "object"}, {})
        return a, b, err:kind(), err:message(), c, bad:kind(), d, e, syntax:kind(), f, kind:kind(), g, none:kind(), h"""
    ) == (
        *(True, False, b"Invalid", b"$.n: expected integer", False, b"Invalid", True, False, b"Internal"),
        *(False, b"Invalid", False, b"Invalid", True),
    )
