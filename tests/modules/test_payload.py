"""Payloads and their formats (spec lua-api.md §14)."""

from __future__ import annotations

import pytest

from tests.modules.app import App


def test_a_new_payload_holds_its_value(app: App) -> None:
    assert app.run(
        """
        local p, e = payload.new({n = 1}), payload.new(errors.new("x"))
        return {p:get_format(), e:get_format(), p:data(), p:unmarshal(), (select(2, p:data())) == nil, type(p)}
        """
    ) == ["lua/any", "golang/error", {"n": 1}, {"n": 1}, True, "userdata"]


def test_the_formats_have_names(app: App) -> None:
    assert app.run("local t = {} for k, v in pairs({'JSON', 'YAML'}) do t[v] = payload.format[v] end return t") == {
        "JSON": "json/plain",
        "YAML": "yaml/plain",
    }
    names = ("STRING", "BYTES", "MSGPACK", "LUA", "GOLANG", "ERROR")
    assert app.run(f"local f = payload.format return {{{', '.join('f.' + name for name in names)}}}") == [
        "text/plain",
        "application/octet-stream",
        "application/msgpack",
        "lua/any",
        "golang/any",
        "golang/error",
    ]


@pytest.mark.parametrize("name", ["JSON", "YAML", "MSGPACK"])
def test_what_is_transcoded_decodes_to_the_same_value(app: App, name: str) -> None:
    assert app.run(
        f"""
        local v = {{list = {{1, 2.5, "three"}}, yes = true, text = "ü: x", object = json.object(), empty = {{}}}}
        local p, err = payload.new(v):transcode(payload.format.{name})
        local back = p:transcode(payload.format.LUA)
        v.yes = false
        return {{p:get_format() == payload.format.{name}, err == nil, p:data(), p:unmarshal().list, back:data().text,
          back:get_format(), json.encode(p:data().object), json.encode(p:data().empty)}}
        """
    ) == [
        True,
        True,
        {"list": [1, 2.5, "three"], "yes": True, "text": "ü: x", "object": {}, "empty": []},
        [1, 2.5, "three"],
        "ü: x",
        "lua/any",
        "{}",
        "[]",
    ]


def test_the_text_of_a_format_can_be_had(app: App) -> None:
    assert app.run(
        """
        local f = payload.format
        local p = payload.new({a = 1})
        local function text(format) return p:transcode(format):transcode(f.STRING):data() end
        return {text(f.JSON), text(f.YAML), #p:transcode(f.MSGPACK):transcode(f.BYTES):data(),
          payload.new("plain"):transcode(f.BYTES):data(), payload.new("x"):transcode(f.STRING):get_format()}
        """
    ) == ['{"a":1}', "a: 1\n", 4, "plain", "text/plain"]


def test_formats_change_into_each_other(app: App) -> None:
    assert app.run(
        """
        local f = payload.format
        local p = payload.new({1, {x = "y"}}):transcode(f.JSON):transcode(f.YAML):transcode(f.MSGPACK)
        return p:transcode(f.GOLANG):data()
        """
    ) == [1, {"x": "y"}]


@pytest.mark.parametrize(
    "call",
    [
        'payload.new({}):transcode("no/such")',
        "payload.new({}):transcode(payload.format.STRING)",
        "payload.new({}):transcode(payload.format.ERROR)",
        "payload.new({1, x = 2}):transcode(payload.format.JSON)",
        "payload.new({1, x = 2}):transcode(payload.format.YAML)",
        "payload.new({f = print}):transcode(payload.format.MSGPACK)",
        "(function() local t = {} t.t = t return payload.new(t):transcode(payload.format.MSGPACK) end)()",
        'payload.new(("x"):rep(200000)):transcode(payload.format.YAML)',
    ],
)
def test_what_cannot_be_transcoded_is_an_internal_error(app: App, call: str) -> None:
    assert app.run(f"local p, err = {call} return {{p = p, kind = err:kind()}}") == {"kind": "Internal"}


def test_a_format_must_be_a_text(app: App) -> None:
    assert "string expected" in app.run("return select(2, pcall(function() payload.new(1):transcode(5) end))")


def test_an_error_stays_one(app: App) -> None:
    assert app.run(
        """
        local p = payload.new(errors.new({message = "m", kind = "Conflict"})):transcode(payload.format.ERROR)
        return {p:get_format(), p:data():kind()}
        """
    ) == ["golang/error", "Conflict"]


def test_a_payload_crosses_as_its_content(app: App, place: str) -> None:
    echo = app.define("local v = ... return v")
    assert app.run(
        "return process.exec(select(1, ...), select(2, ...), payload.new({a = 1}):transcode(payload.format.JSON))",
        echo,
        place,
    ) == {"a": 1}
