import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300ms", 0.3),
        ("1.5h", 5400.0),
        ("1h30m", 5400.0),
        ("0", 0.0),
        ("-2s", -2.0),
        ("+2s", 2.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("10us", 1e-5),
        ("10µs", 1e-5),
        ("7ns", 7e-9),
        ("720h", 2592000.0),
    ],
)
def test_a_go_duration_becomes_seconds(text: str, seconds: float) -> None:
    assert math.isclose(parse_duration(text), seconds)


@pytest.mark.parametrize("text", ["", "5", "soon", "1 s", "1s ", "1s\n", "1d", "s", "--1s", "1.2.3s", "٣s", "1S"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write a number with a unit"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (1.5, "1.5s"), (120, "2m0s"), (5400, "1h30m0s"), (0.25, "250ms"), (0.0000015, "1.5µs"), (-1, "-1s")],
)
def test_seconds_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_a_written_duration_reads_back_to_the_nanosecond(nanoseconds: int) -> None:
    read = parse_duration(format_duration(nanoseconds / 1e9))
    assert math.isclose(read, nanoseconds / 1e9, rel_tol=1e-12, abs_tol=1e-9)


def test_a_duration_longer_than_go_can_count_is_refused() -> None:
    assert parse_duration("2562047h") > 9e9
    for text in ("2562048h", "9" * 400 + "s"):
        with pytest.raises(ValueError, match="292 years"):
            parse_duration(text)
