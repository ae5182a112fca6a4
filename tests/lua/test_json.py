"""The module json, against Python's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lua.harness import Lua

JSON = "local json = module('json') "
SHARED = Lua()
AGAIN = SHARED.run(
    JSON
    + """return function(text)
      local value, err = json.decode(text)
      if err then return nil, tostring(err) end
      return json.encode(value)
    end"""
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=12),
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


@pytest.fixture
def lua() -> Lua:
    return Lua()


def encoded(lua: Lua, expression: str) -> str:
    text: bytes = lua.run(JSON + f"return assert(json.encode({expression}))")
    return text.decode()


def fault(lua: Lua, call: str) -> tuple[str, str]:
    value, kind, message = lua.run(JSON + f"local v, e = json.{call} return v, e and e:kind(), e and e:message()")
    assert value is None
    return kind.decode(), message.decode()


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_a_document_comes_back_as_it_was(document: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    back = AGAIN(text.encode("utf-8", "surrogatepass"))
    assert isinstance(back, bytes), (text, back)
    assert json.loads(back) == document


def refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet='{}[]",:\\ 0123.eE+-tnruefals\n', max_size=12)
    | st.builds(
        lambda text, at, c: text[:at] + c + text[at + 1 :],
        DOCUMENTS.map(json.dumps),
        st.integers(0, 20),
        st.text(max_size=1),
    )
)
def test_what_python_refuses_is_refused(text: str) -> None:
    raw = text.encode("utf-8", "replace")
    try:
        json.loads(raw.decode(), parse_constant=refuse)
        valid = True
    except (ValueError, RecursionError):
        valid = False
    got = AGAIN(raw)
    refused = isinstance(got, tuple)
    if valid and refused:
        assert b"out of range" in got[1] or raw.strip() == b""
    else:
        assert valid is not refused, (raw, got)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("nil", "null"),
        ("{}", "[]"),
        ("json.object()", "{}"),
        ("json.object({a = 1})", '{"a":1}'),
        ("json.decode('{}')", "{}"),
        ("json.decode('[{}, [], {\"a\": null}]')", "[{},[],{}]"),
        ("{1, 2, 3}", "[1,2,3]"),
        ("{b = 1, a = {c = true}}", '{"a":{"c":true},"b":1}'),
        ("3.0", "3"),
        ("-0.0", "0"),
        ("0.1", "0.1"),
        ("1/3", "0.3333333333333333"),
        ("2^53", "9007199254740992"),
        ("123456789012345678", "123456789012345680"),
        ("1e300", "1e+300"),
        ("-1.5e-7", "-1.5e-07"),
        ("{0/0, 1/0, -1/0}", "[null,null,null]"),
        ("{print, coroutine.create(print), rt.channel(1)}", "[null,null,null]"),
        ("{require('errors').make('Invalid', 'no \"x\"')}", '["no \\"x\\""]'),
        ("'<a&b>\\1\\n\\t/\\127'", '"<a&b>\\u0001\\n\\t/\x7f"'),
        ("'\\255a\\195\\168\\237\\160\\128\\240\\159\\152\\128\\195'", '"�aè���😀�"'),
    ],
)
def test_values_are_encoded_by_the_rules(lua: Lua, expression: str, text: str) -> None:
    assert encoded(lua, expression) == text


def test_keys_are_sorted_however_many(lua: Lua) -> None:
    got = encoded(lua, "(function() local t = {} for i = 1, 200 do t['k' .. i * 7919 % 1000] = i end return t end)()")
    keys = list(json.loads(got))
    assert keys == sorted(keys)
    assert len(keys) == 200


@pytest.mark.parametrize(
    "expression",
    ["{1, 2, x = 3}", "{[1] = 1, [3] = 3}", "{[0] = 1}", "{[1.5] = 1}", "{[true] = 1}", "{[-1] = 1, [1] = 1}"],
)
def test_tables_that_are_neither_array_nor_object_are_refused(lua: Lua, expression: str) -> None:
    assert fault(lua, f"encode({expression})")[0] == "Internal"


def test_cycles_and_depth_are_refused(lua: Lua) -> None:
    assert "contains itself" in fault(lua, "encode((function() local t = {} t.a = {t} return t end)())")[1]
    nest = "(function(n) local t = 1 for i = 1, n do t = {t} end return t end)"
    assert fault(lua, f"encode({nest}(129))") == (
        "Internal",
        "json.encode: tables nested deeper than 128 cannot be encoded",
    )
    assert encoded(lua, f"{nest}(128)") == "[" * 128 + "1" + "]" * 128
    assert "nested deeper than 128" in fault(lua, "decode(('['):rep(129) .. (']'):rep(129))")[1]
    assert lua.run(JSON + "return type(json.decode(('['):rep(128) .. (']'):rep(128)))") == b"table"


def test_shared_tables_cannot_blow_up_the_text(lua: Lua) -> None:
    assert (
        "would be larger"
        in fault(
            lua, "encode((function() local t = {('x'):rep(1000)} for i = 1, 100 do t = {t, t} end return t end)())"
        )[1]
    )


def test_null_is_nil_and_leaves_holes(lua: Lua) -> None:
    assert lua.run(
        JSON
        + 'local t = json.decode(\'{"a": null, "b": [1, null, 3]}\') '
        + "return t.a, t.b[1], t.b[2], t.b[3], json.decode('null')"
    ) == (None, 1, None, 3, None)


def test_the_last_of_equal_keys_wins(lua: Lua) -> None:
    assert lua.run(JSON + 'return json.decode(\'{"a": 1, "a": 2}\').a') == 2


def test_escapes_are_read(lua: Lua) -> None:
    assert lua.run(JSON + r"""return json.decode([["a\"\\\/\b\f\n\r\t\u00e8\ud83d\ude00\ud800x\udc00"]])""") == (
        'a"\\/\b\f\n\r\tè😀�x�'.encode()
    )


@pytest.mark.parametrize("value", ["''", "nil", "5", "{}", "true"])
def test_decoding_nothing_or_no_text_is_invalid(lua: Lua, value: str) -> None:
    assert fault(lua, f"decode({value})")[0] == "Invalid"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1,\n  x]", "unexpected character at line 2, column 3"),
        ("[1 2]", "expected ',' or ']' at line 1, column 4"),
        ("{1:2}", "expected a key in quotes at line 1, column 2"),
        ('{"a" 2}', "expected ':' at line 1, column 6"),
        ('{"a":2', "expected ',' or '}' at line 1, column 7"),
        ("[", "unexpected end of the text at line 1, column 2"),
        ('"abc', "unfinished text at line 1, column 5"),
        ('"a\tb"', "control character in a text at line 1, column 3"),
        ('"\\x"', "invalid escape at line 1, column 2"),
        ('"\\u12"', "invalid \\u escape at line 1, column 2"),
        ("01", "invalid number: leading zero at line 1, column 1"),
        ("1.", "invalid number at line 1, column 1"),
        ("-", "invalid number at line 1, column 1"),
        ("1e999", "number out of range at line 1, column 1"),
        ("1 2", "text after the value at line 1, column 3"),
        ("nul", "unexpected character at line 1, column 1"),
        ("[1,]", "unexpected character at line 1, column 4"),
    ],
)
def test_bad_syntax_is_internal_and_says_where(lua: Lua, text: str, message: str) -> None:
    got = lua.run(JSON + "local v, e = json.decode(...) return v, e:kind(), e:message()", text.encode())
    assert got == (None, b"Internal", f"json.decode: {message}".encode())


def test_object_marks_plain_tables_only(lua: Lua) -> None:
    assert "plain table expected" in lua.error(JSON + "json.object(5)")
    assert "plain table expected" in lua.error(JSON + "json.object(setmetatable({}, {}))")
