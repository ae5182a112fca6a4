"""The module yaml."""

from __future__ import annotations

import pytest

from tests.lua.harness import Lua

YAML = "local yaml, json = module('yaml'), module('json') "


@pytest.fixture
def lua() -> Lua:
    return Lua()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a: 1\nb: [x, 2.5, true, null, ~]\n", '{"a":1,"b":["x",2.5,true]}'),
        ("- {}\n- []\n- {a: {}}\n", '[{},[],{"a":{}}]'),
        ("when: 2024-02-03\nat: 2024-02-03T04:05:06Z\n", '{"at":"2024-02-03T04:05:06+00:00","when":"2024-02-03"}'),
        ("2: a\ntrue: b\n~: c\n", '{"2":"a","null":"c","true":"b"}'),
        ("a: &x [1]\nb: *x\n", '{"a":[1],"b":[1]}'),
        ("n: .inf\nb: !!binary aGk=\n", '{"b":"aGk="}'),
        ("text: |\n  è 1\n  2\n", '{"text":"è 1\\n2\\n"}'),
        ("5", "5"),
    ],
)
def test_documents_are_decoded(lua: Lua, text: str, shown: str) -> None:
    assert lua.run(YAML + "return json.encode(yaml.decode(...))", text.encode()) == shown.encode()


@pytest.mark.parametrize(
    "text",
    [
        *("a: [1", "a: b: c", "\t- x", "!!python/object/apply:os.system ['x']", "--- 1\n--- 2\n", "a: &x [*x]"),
        *("\x00", "x: " + "[" * 200 + "]" * 200, "[" * 100000, "{a: " * 100000, "- " * 50000, "x" * 200_000),
        "\n".join(
            [f"l0: &l0 {['x'] * 9}"] + [f"l{i}: &l{i} {[f'*l{i - 1}'] * 9}".replace("'", "") for i in range(1, 9)]
        ),
    ],
)
def test_bad_or_hostile_documents_are_internal(lua: Lua, text: str) -> None:
    got = lua.run(YAML + "local v, e = yaml.decode(...) return v, e:kind(), #e:message() < 600", text.encode())
    assert got == (None, b"Internal", True)


@pytest.mark.parametrize("value", ["''", "5", "nil", "{}"])
def test_decoding_nothing_or_no_text_is_invalid(lua: Lua, value: str) -> None:
    assert lua.run(YAML + f"local v, e = yaml.decode({value}) return v, e:kind()") == (None, b"Invalid")


def test_tables_are_encoded_with_sorted_keys_or_in_the_order_asked_for(lua: Lua) -> None:
    table = "{b = 1, a = {1.5, 'x', {}}, name = 'yes', z = json.object()}"
    assert lua.run(YAML + f"return yaml.encode({table})") == b"a:\n- 1.5\n- x\n- []\nb: 1\nname: 'yes'\nz: {}\n"
    assert lua.run(YAML + f"return yaml.encode({table}, {{field_order = {{'name', 'b'}}, sort_unordered = true}})") == (
        b"name: 'yes'\nb: 1\na:\n- 1.5\n- x\n- []\nz: {}\n"
    )


@pytest.mark.parametrize("arguments", ["5", "nil", "'x'", "{}, 5", "{}, {field_order = 5}", "{}, {field_order = {5}}"])
def test_wrong_arguments_of_encode_are_invalid(lua: Lua, arguments: str) -> None:
    assert lua.run(YAML + f"local v, e = yaml.encode({arguments}) return v, e:kind()") == (None, b"Invalid")


def test_what_json_cannot_hold_is_internal(lua: Lua) -> None:
    assert lua.run(YAML + "local v, e = yaml.encode({1, x = 2}) return v, e:kind()") == (None, b"Internal")
