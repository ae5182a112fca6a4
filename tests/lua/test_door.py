"""The door from Lua to pure functions of Python."""

from __future__ import annotations

import pytest

from actors.errors import INVALID, ProcessError
from actors.vm.door import Door
from actors.vm.door_functions import pure_functions
from actors.vm.door_tz import STRETCH, Zones


def fail(*_: bytes) -> bytes:
    raise ProcessError("no good", kind=INVALID)


def crash(*_: bytes) -> bytes:
    raise ZeroDivisionError("oops")


def test_a_function_is_called_by_its_name_with_its_arguments() -> None:
    assert Door({"join": lambda a, b: a + b}).call(b"join", b"x", b"y") == b"xy"


def test_an_unknown_name_is_an_answer_and_no_exception() -> None:
    assert Door().call(b"nope") == (None, b"NotFound", b"no function 'nope' behind the door")


def test_failures_keep_their_kind_and_crashes_are_internal() -> None:
    door = Door({"fail": fail, "crash": crash})
    assert door.call(b"fail") == (None, b"Invalid", b"no good")
    assert door.call(b"crash") == (None, b"Internal", b"crash: ZeroDivisionError: oops")


def test_too_few_arguments_are_an_answer_too() -> None:
    answer = Door(pure_functions()).call(b"hash")
    assert isinstance(answer, tuple)
    assert answer[1] == b"Internal"


def test_a_later_function_takes_the_place_of_an_earlier() -> None:
    door = Door({"f": lambda: b"1"})
    door.add("f", lambda: b"2")
    assert door.call(b"f") == b"2"


def test_a_stretch_of_a_zone_tells_every_change_in_it() -> None:
    spring = 1710000000 - 1710000000 % STRETCH
    lines = Zones().tz(b"America/New_York", b"%d" % spring).decode().split("\n")
    assert lines == [f"{spring} -18000 0 EST", "1710054000 -14400 1 EDT"]


def test_zones_answer_beyond_the_years_that_python_knows() -> None:
    assert Zones().tz(b"Europe/Paris", b"-99999999999").split(b" ")[0] == b"-99999999999"
    assert Zones().tz(b"Europe/Paris", b"999999999999").endswith(b"CET")


@pytest.mark.parametrize("name", [b"", b"Mars", b"../etc/passwd", b"/etc/passwd", b"America", b"\xff", b"x" * 5000])
def test_what_is_no_zone_is_not_found(name: bytes) -> None:
    answer = Door(pure_functions()).call(b"tz", name, b"0")
    assert isinstance(answer, tuple)
    assert answer[1] == b"NotFound"


def test_the_local_zone_may_be_set() -> None:
    assert Zones("Asia/Tokyo").tz(b"Local", b"0") == b"0 32400 0 JST"
    assert Zones().tz(b"Local", b"0").startswith(b"0 ")
