"""The global os."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from actors.vm.door import Door
from actors.vm.door_functions import pure_functions
from tests.lua.harness import Lua

OS = "local os = module('os') "


@pytest.fixture
def lua() -> Lua:
    return Lua(Door(pure_functions("America/New_York")))


def test_time_is_the_clock_or_a_local_date(lua: Lua) -> None:
    assert lua.run(
        OS
        + """rt.advance(1.75)
        return os.time(), os.time{year = 2024, month = 7, day = 4}, os.time{year = 2024, month = 7, day = 4, hour = 12},
          os.time{year = 2024, month = 14, day = 0, min = "5", sec = 61}, os.time{hour = 1}"""
    ) == (1700000001, 1720065600, 1720108800, 1738299961, 1699941600)


def test_date_tables_have_the_standard_fields(lua: Lua) -> None:
    assert lua.run(
        OS
        + """local t, u = os.date("*t", 1720108805), os.date("!*t", 1700000000)
        return t.year, t.month, t.day, t.hour, t.min, t.sec, t.wday, t.yday, t.isdst, u.hour, u.isdst"""
    ) == (2024, 7, 4, 12, 0, 5, 5, 186, True, 22, False)


@pytest.mark.parametrize(
    ("fmt", "shown"),
    [
        ("%a %A %b %B", "Tue Tuesday Nov November"),
        ("%c", "Tue Nov 14 17:13:20 2023"),
        ("%d %H %I %j %m %M %p %S", "14 17 05 318 11 13 PM 20"),
        ("%w %x %X %y %Y", "2 11/14/23 17:13:20 23 2023"),
        ("%z %Z %%", "-0500 EST %"),
        ("!%H %z %Z", "22 +0000 UTC"),
        ("%Q 100", "%Q 100"),
    ],
)
def test_every_code_of_date_is_written(lua: Lua, fmt: str, shown: str) -> None:
    assert lua.run(OS + f"return os.date('{fmt}', 1700000000)") == shown.encode()


def test_date_without_arguments_is_now(lua: Lua) -> None:
    assert lua.run(OS + "return os.date()") == b"Tue Nov 14 17:13:20 2023"


def test_the_week_codes_give_the_iso_week(lua: Lua) -> None:
    first = date(2019, 12, 20)
    for days in range(0, 800, 3):
        day = first + timedelta(days=days)
        noon = (day - date(1970, 1, 1)).days * 86400 + 43200
        week = f"{day.isocalendar().week:02d}"
        assert lua.run(OS + f"return os.date('!%U %W', {noon})") == f"{week} {week}".encode(), day


def test_clock_difftime_and_platform(lua: Lua) -> None:
    assert lua.run(OS + "rt.advance(2.5) return os.clock(), os.difftime(5, 3), os.platform") == (2.5, 2, b"wippy")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("os.time(5)", "bad argument #1 to 'time' (table expected, got number)"),
        ("os.time{year = 'x'}", "field 'year' of the date table must be a number"),
        ("os.date(5)", "bad argument #1 to 'date' (string expected, got number)"),
        ("os.date('%c', 'x')", "bad argument #2 to 'date' (number expected, got string)"),
        ("os.date('%c', 0/0)", "bad argument #2 to 'date' (number expected"),
        ("os.date(('x'):rep(70000))", "format longer than 65536 bytes"),
        ("os.difftime('x', 1)", "bad argument #1 to 'difftime' (number expected, got string)"),
    ],
)
def test_wrong_arguments_are_refused(lua: Lua, call: str, message: str) -> None:
    assert message in lua.error(OS + f"local x = {call} return x")


def test_nothing_else_is_in_os(lua: Lua) -> None:
    assert lua.run(
        OS + "local names = {} for k in pairs(os) do names[#names + 1] = k end table.sort(names) "
        "return table.concat(names, ' ')"
    ) == (b"clock date difftime platform time")
