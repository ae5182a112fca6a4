"""The generator of math.random."""

from __future__ import annotations

import pytest

from tests.lua.harness import Lua

SETUP = "local R = require('random') "


@pytest.fixture
def lua() -> Lua:
    return Lua()


def reference(state: list[int]) -> int:
    """One step of xoshiro128**, as its authors publish it."""
    mask = 0xFFFFFFFF

    def rotate(x: int, k: int) -> int:
        return ((x << k) | (x >> (32 - k))) & mask

    result = (rotate(state[1] * 5 & mask, 7) * 9) & mask
    shifted = state[1] << 9 & mask
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = rotate(state[3], 11)
    return result


def test_the_numbers_are_those_of_xoshiro128_starstar(lua: Lua) -> None:
    got = lua.run(SETUP + "local s = {1, 2, 3, 4} local t = {} for i = 1, 50 do t[i] = R.next(s) end return unpack(t)")
    state = [1, 2, 3, 4]
    expected = []
    for _ in range(50):
        high, low = reference(state) >> 5, reference(state) >> 6
        expected.append((high * 2**26 + low) / 2**53)
    assert list(got) == expected


def test_equal_seeds_give_equal_sequences_and_others_do_not(lua: Lua) -> None:
    code = SETUP + "local s = R.new(...) return R.next(s), R.next(s), R.next(s)"
    seeds = [(1, 2), (1, 3), (2, 2), (0, 0), (-1, 0), (0.25, 0), (0.5, 0), (2.0**40, 0), (2.0**41, 0), (1, 0)]
    sequences = [lua.run(code, *seed) for seed in seeds]
    assert len(set(sequences)) == len(seeds)
    assert sequences == [lua.run(code, *seed) for seed in seeds]


def test_reseed_starts_the_sequence_again(lua: Lua) -> None:
    assert lua.run(
        SETUP + "local s = R.new(5, 6) local a = R.next(s) R.reseed(s, 5, 6) local b = R.next(s) return a == b"
    )


@pytest.mark.parametrize("seed", ["0/0", "1/0", "-1/0", "1e300", "-1e300"])
def test_any_number_is_a_seed(lua: Lua, seed: str) -> None:
    assert lua.run(SETUP + f"local s = R.new({seed}, {seed}) local x = R.next(s) return x >= 0 and x < 1")


def test_the_ranges_are_those_of_math_random(lua: Lua) -> None:
    assert lua.run(
        SETUP
        + """local s, seen, low, high = R.new(1, 2), {}, 1/0, -1/0
        for i = 1, 3000 do
          local x = R.math_random(s)
          if x < 0 or x >= 1 then return "bad" end
          seen[R.math_random(s, 6)] = true
          local y = R.math_random(s, -3, 3)
          low, high = math.min(low, y), math.max(high, y)
        end
        return #seen, low, high, seen[0], R.math_random(s, 7, 7), R.math_random(s, "3", "3"), R.math_random(s, 1.9)"""
    ) == (6, -3, 3, None, 7, 3, 1)


def test_bytes_have_their_length_and_every_value(lua: Lua) -> None:
    for size in (0, 1, 3, 4, 5, 4096):
        assert len(lua.run(SETUP + f"return R.bytes(R.new(1, 2), {size})")) == size
    assert len(set(lua.run(SETUP + "return R.bytes(R.new(1, 2), 8192)"))) == 256


def test_values_are_spread_evenly(lua: Lua) -> None:
    counts = lua.run(
        SETUP
        + """local s, c = R.new(3, 4), {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
        for i = 1, 100000 do local k = R.math_random(s, 10) c[k] = c[k] + 1 end
        return unpack(c)"""
    )
    assert all(9500 < count < 10500 for count in counts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("0", "#1 to 'random' (interval is empty)"),
        ("2, 1", "#2 to 'random' (interval is empty)"),
        ("{}", "#1 to 'random' (number expected, got table)"),
        ("1, 'x'", "#2 to 'random' (number expected, got string)"),
        ("0/0", "#1 to 'random' (interval is empty)"),
    ],
)
def test_wrong_arguments_are_refused_as_lua_does(lua: Lua, arguments: str, message: str) -> None:
    assert message in lua.error(SETUP + f"local x = R.math_random(R.new(1, 2), {arguments})")
