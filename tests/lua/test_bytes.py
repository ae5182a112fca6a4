"""The modules hash, base64 and crypto."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from tests.lua.harness import Lua

DATA = bytes(range(256)) * 3


@pytest.fixture
def lua() -> Lua:
    return Lua()


def kind(lua: Lua, call: str) -> object:
    return lua.run(f"local v, e = {call} return v, e:kind()")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_digests_are_those_of_hashlib(lua: Lua, algorithm: str) -> None:
    reference = hashlib.new(algorithm, DATA)
    assert lua.run(f"local d = ... local f = module('hash').{algorithm} return f(d), f(d, true)", DATA) == (
        reference.hexdigest().encode(),
        reference.digest(),
    )


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_keyed_digests_take_the_data_first(lua: Lua, algorithm: str) -> None:
    reference = hmac.new(b"key", DATA, algorithm)
    assert lua.run(
        f"local d = ... local f = module('hash').hmac_{algorithm} return f(d, 'key'), f(d, 'key', true)", DATA
    ) == (reference.hexdigest().encode(), reference.digest())


def test_fnv_is_fnv_1(lua: Lua) -> None:
    def fnv(data: bytes, offset: int, prime: int, bits: int) -> int:
        for byte in data:
            offset = (offset * prime % 2**bits) ^ byte
        return offset

    for data in (b"", b"a", b"foobar", DATA):
        assert lua.run("local d = ... return module('hash').fnv32(d), module('hash').fnv64(d)", data) == (
            fnv(data, 0x811C9DC5, 16777619, 32),
            float(fnv(data, 0xCBF29CE484222325, 1099511628211, 64)),
        )


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512", "fnv32", "fnv64"])
def test_hashing_anything_but_text_is_invalid(lua: Lua, name: str) -> None:
    for value in ("5", "nil", "{}", "true"):
        assert kind(lua, f"module('hash').{name}({value})") == (None, b"Invalid")


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
def test_keyed_hashing_needs_two_texts(lua: Lua, name: str) -> None:
    assert kind(lua, f"module('hash').hmac_{name}(5, 'k')") == (None, b"Invalid")
    assert kind(lua, f"module('hash').hmac_{name}('d')") == (None, b"Invalid")


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", DATA])
def test_base64_goes_there_and_back(lua: Lua, data: bytes) -> None:
    assert lua.run("local b = module('base64') local t = b.encode(...) return t, b.decode(t)", data) == (
        base64.b64encode(data),
        data,
    )


def test_base64_ignores_line_breaks(lua: Lua) -> None:
    assert lua.run("return module('base64').decode('YW\\r\\nJj\\n')") == b"abc"


@pytest.mark.parametrize(
    "text", ["'YWJ'", "'YW=='..'x'", "'YW*j'", "'YWJj='", "'Y'", "'YW Jj'", "'-_8='", "5", "nil", "{}"]
)
def test_bad_base64_is_invalid(lua: Lua, text: str) -> None:
    assert kind(lua, f"module('base64').decode({text})") == (None, b"Invalid")


def test_encoding_anything_but_text_is_invalid(lua: Lua) -> None:
    assert kind(lua, "module('base64').encode({})") == (None, b"Invalid")


def test_random_bytes_have_their_length(lua: Lua) -> None:
    assert lua.run(
        "local r = module('crypto').random return #r.bytes(1), #r.bytes(1048576), r.bytes(9) ~= r.bytes(9)"
    ) == (
        *(1, 1048576),
        True,
    )


def test_random_text_uses_every_byte_of_its_charset_alike(lua: Lua) -> None:
    assert lua.run(
        """local r, counts = module("crypto").random, {}
        local text = r.string(60000, "abc")
        for c in text:gmatch(".") do counts[c] = (counts[c] or 0) + 1 end
        local even = true
        for c, n in pairs(counts) do even = even and #c == 1 and n > 19000 and n < 21000 end
        return #text, even, counts.a + counts.b + counts.c, r.string(500):match("^%w+$") ~= nil, r.string(3, "x")"""
    ) == (60000, True, 60000, True, b"xxx")


def test_without_a_seeded_source_the_system_gives_the_bytes(lua: Lua) -> None:
    assert lua.run(
        """rt.random_bytes = nil
        local r = module("crypto").random
        local a, b = r.bytes(600), r.bytes(600)
        return #a, #b, a ~= b, #r.bytes(5000), #r.bytes(1024), module("uuid").v4() ~= module("uuid").v4()"""
    ) == (600, 600, True, 5000, 1024, True)


def test_random_uuid_is_a_version_4(lua: Lua) -> None:
    assert lua.run("return module('uuid').version(module('crypto').random.uuid())") == 4


@pytest.mark.parametrize("n", ["0", "-1", "1048577", "1.5", "0/0", "'x'", "nil", "{}"])
def test_a_bad_length_is_invalid(lua: Lua, n: str) -> None:
    assert kind(lua, f"module('crypto').random.bytes({n})") == (None, b"Invalid")
    assert kind(lua, f"module('crypto').random.string({n})") == (None, b"Invalid")


@pytest.mark.parametrize("charset", ["''", "5", "{}", "('x'):rep(257)"])
def test_a_bad_charset_is_invalid(lua: Lua, charset: str) -> None:
    assert kind(lua, f"module('crypto').random.string(5, {charset})") == (None, b"Invalid")
