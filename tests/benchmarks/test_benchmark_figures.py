from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Bar, Better, Comparison, Spread, Verdict, compare, judge, percentile, times_better

VALUES = st.lists(st.floats(min_value=1e-9, max_value=1e12), min_size=1, max_size=9)


def test_a_spread_is_the_median_with_the_lowest_and_the_highest() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


def test_a_spread_of_one_round_is_that_round() -> None:
    assert Spread.of([4.0]) == Spread(4.0, 4.0, 4.0)


def test_twice_the_rate_is_twice_as_good() -> None:
    assert times_better(Better.MORE, 10.0, 5.0) == 2.0


def test_half_the_time_is_twice_as_good() -> None:
    assert times_better(Better.LESS, 5.0, 10.0) == 2.0


def test_nothing_at_all_is_infinitely_better_than_something() -> None:
    assert times_better(Better.LESS, 0.0, 10.0) == math.inf


def test_rounds_are_compared_one_by_one_and_medians_with_medians() -> None:
    found = compare(Better.MORE, "rival", [10.0, 30.0, 20.0], [10.0, 10.0, 5.0])
    assert found == Comparison("rival", 2.0, (1.0, 3.0, 4.0))


def test_a_round_that_one_side_did_not_finish_is_left_out_of_the_comparison() -> None:
    assert compare(Better.MORE, "rival", [10.0, 30.0], [5.0]).rounds == (2.0,)


@given(VALUES, VALUES)
def test_being_better_one_way_is_being_worse_the_other_way(ours: list[float], theirs: list[float]) -> None:
    one = compare(Better.LESS, "b", ours, theirs).ratio
    other = compare(Better.LESS, "a", theirs, ours).ratio
    assert one * other == pytest.approx(1.0)


@given(VALUES)
def test_a_median_lies_in_its_spread(values: list[float]) -> None:
    found = Spread.of(values)
    assert found.low <= found.median <= found.high


def test_a_ratio_at_its_limit_is_ok() -> None:
    ratios = {"rival": Comparison("rival", 0.7, ())}
    assert judge(Bar(0.7, "rival"), Better.MORE, None, ratios).verdict is Verdict.OK


def test_a_ratio_below_its_limit_is_short_and_says_what_it_was() -> None:
    found = judge(Bar(0.7, "rival"), Better.LESS, None, {"rival": Comparison("rival", 0.69, ())})
    assert (found.verdict, found.value) == (Verdict.SHORT, 0.69)


def test_a_bar_against_a_rival_that_is_not_there_is_not_measured() -> None:
    found = judge(Bar(0.7, "rival"), Better.MORE, Spread.of([1.0]), {})
    assert (found.verdict, found.value) == (Verdict.UNKNOWN, None)


def test_a_bar_of_our_own_asks_for_at_most_where_less_is_better() -> None:
    assert judge(Bar(2.6), Better.LESS, Spread.of([2.6]), {}).verdict is Verdict.OK
    assert judge(Bar(2.6), Better.LESS, Spread.of([2.7]), {}).verdict is Verdict.SHORT


def test_a_bar_of_our_own_asks_for_at_least_where_more_is_better() -> None:
    assert judge(Bar(1e6), Better.MORE, Spread.of([1e6]), {}).verdict is Verdict.OK
    assert judge(Bar(1e6), Better.MORE, Spread.of([9e5]), {}).verdict is Verdict.SHORT


def test_a_bar_of_our_own_is_not_measured_when_our_side_failed() -> None:
    assert judge(Bar(1.0), Better.MORE, None, {}).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5.0), (0.9, 9.0), (0.99, 10.0), (1.0, 10.0), (0.0, 1.0)])
def test_a_percentile_is_one_of_the_values_by_nearest_rank(share: float, expected: float) -> None:
    assert percentile([10.0, 1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0, 5.0], share) == expected
