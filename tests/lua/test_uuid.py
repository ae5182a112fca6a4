"""The module uuid."""

from __future__ import annotations

import uuid

import pytest

from tests.lua.harness import Lua

UUID = "local uuid = module('uuid') "
KNOWN = "f47ac10b-58cc-4372-a567-0e02b2c3d479"


@pytest.fixture
def lua() -> Lua:
    return Lua()


def made(lua: Lua, call: str) -> uuid.UUID:
    text: bytes = lua.run(UUID + f"return {call}")
    assert text == text.lower()
    return uuid.UUID(text.decode())


@pytest.mark.parametrize("version", [1, 4, 7])
def test_generated_ids_have_their_version_and_differ(lua: Lua, version: int) -> None:
    first, second = made(lua, f"uuid.v{version}()"), made(lua, f"uuid.v{version}()")
    assert first.version == second.version == version
    assert first.variant == uuid.RFC_4122
    assert first != second


def test_v1_holds_the_time_and_a_made_up_card(lua: Lua) -> None:
    made_at = made(lua, "(function() rt.advance(0.5) return uuid.v1() end)()")
    assert made_at.time == (1700000000 * 10 + 5) * 10**6 + 122192928000000000
    assert made_at.node >> 40 & 1


def test_ids_of_one_moment_sort_in_the_order_they_were_made(lua: Lua) -> None:
    assert made(lua, "uuid.v7()").int >> 80 == 1700000000000
    assert lua.run(
        UUID
        + """local last = ""
        for i = 1, 10000 do
          local id = uuid.v7()
          if id <= last then return i end
          last = id
        end
        return "sorted" """
    ) == (b"sorted")


@pytest.mark.parametrize("name", ["", "example.com", "ä\0b"])
def test_named_ids_are_those_of_the_standard(lua: Lua, name: str) -> None:
    space = uuid.NAMESPACE_DNS
    for version, reference in ((3, uuid.uuid3(space, name)), (5, uuid.uuid5(space, name))):
        got = lua.run(UUID + f"return uuid.v{version}('{space}', ...)", name.encode())
        assert got == str(reference).encode()


@pytest.mark.parametrize("form", [KNOWN, KNOWN.replace("-", ""), "urn:uuid:" + KNOWN, "{" + KNOWN + "}", KNOWN.upper()])
def test_every_input_form_is_understood(lua: Lua, form: str) -> None:
    assert lua.run(UUID + "local v, e = uuid.validate(...) return v, e, uuid.format(...)", form.encode()) == (
        *(True, None),
        KNOWN.encode(),
    )


@pytest.mark.parametrize("form", ["", "x", KNOWN[:-1], KNOWN + "0", "{" + KNOWN, KNOWN.replace("-", "+"), "g" * 32])
def test_other_texts_are_not_ids(lua: Lua, form: str) -> None:
    assert lua.run(UUID + "return uuid.validate(...)", form.encode()) in (False, (False, None))
    for call in ("version", "variant", "parse", "format"):
        assert lua.run(UUID + f"local v, e = uuid.{call}(...) return v, e:kind()", form.encode()) == (None, b"Invalid")


@pytest.mark.parametrize(
    "call",
    [
        *("v3('x', 'y')", f"v3('{KNOWN}')", f"v3('{KNOWN}', 5)", "v5(nil, 'y')", f"v5('{KNOWN}', {{}})"),
        *("version(5)", "variant()", "parse({})", "format(true)", f"format('{KNOWN}', 'x')"),
    ],
)
def test_wrong_arguments_are_invalid(lua: Lua, call: str) -> None:
    assert lua.run(UUID + f"local v, e = uuid.{call} return v, e:kind()") == (None, b"Invalid")


def test_validate_never_fails(lua: Lua) -> None:
    assert lua.run(UUID + "return (uuid.validate({})), (uuid.validate()), (uuid.validate(5))") == (False, False, False)


def test_version_and_variant_are_read_from_the_digits(lua: Lua) -> None:
    shapes = {"0": "Reserved", "7": "Reserved", "8": "RFC4122", "b": "RFC4122", "c": "Microsoft", "e": "Future"}
    for digit, variant in shapes.items():
        text = f"f47ac10b-58cc-5372-{digit}567-0e02b2c3d479"
        assert lua.run(UUID + f"return uuid.version('{text}'), uuid.variant('{text}')") == (5, variant.encode())


def test_parse_tells_time_and_node_where_there_are_any(lua: Lua) -> None:
    assert lua.run(
        UUID
        + f"""local one, seven, four = uuid.parse(uuid.v1()), uuid.parse(uuid.v7()), uuid.parse("{KNOWN}")
        return one.version, one.variant, one.timestamp, #one.node, seven.version, seven.timestamp, seven.node,
          four.version, four.timestamp, four.node"""
    ) == (1, b"RFC4122", 1700000000, 12, 7, 1700000000, None, 4, None, None)


def test_format_writes_three_forms(lua: Lua) -> None:
    simple = KNOWN.replace("-", "")
    assert lua.run(
        UUID + f"return uuid.format('{simple}', 'standard'), uuid.format('{KNOWN}', 'simple'), "
        f"uuid.format('{KNOWN}', 'urn')"
    ) == (KNOWN.encode(), simple.encode(), b"urn:uuid:" + KNOWN.encode())
