from __future__ import annotations

from benchmark_making import failing, scenario, side

from benchmarks.figures import Bar, Better, Comparison, Verdict
from benchmarks.harness import OURS, Plan, WrongAnswerError, measure


def test_sides_take_turns_and_each_round_begins_with_another() -> None:
    log: list[tuple[str, int]] = []
    row = scenario(side("a", 1, 1, 1, log=log), side("b", 1, 1, 1, log=log))
    measure(row, Plan(rounds=3))
    assert [name for name, _ in log] == ["a", "b", "b", "a", "a", "b"]


def test_every_side_warms_up_before_the_first_round_and_that_value_is_dropped() -> None:
    log: list[tuple[str, int]] = []
    row = scenario(side("a", 99, 1, log=log, warm_up=10), side("b", 99, 2, log=log, warm_up=10))
    found = measure(row, Plan(rounds=1))
    assert log == [("a", 10), ("b", 10), ("a", 100), ("b", 100)]
    assert [each.values for each in found.sides] == [(1,), (2,)]


def test_a_smoke_run_uses_the_small_counts_and_warms_up_with_no_more() -> None:
    log: list[tuple[str, int]] = []
    measure(scenario(side("a", 9, 1, log=log, warm_up=10)), Plan(rounds=1, quick=True))
    assert log == [("a", 5), ("a", 5)]


def test_a_long_scenario_limits_its_rounds() -> None:
    found = measure(scenario(side("a", 1, 2, 3, 4, 5), most_rounds=2), Plan(rounds=5))
    assert found.sides[0].values == (1, 2)


def test_ours_is_compared_with_each_rival() -> None:
    row = scenario(side(OURS, 10, 30, 20), side("x", 10, 10, 10), side("y", 40, 40, 40), bars=(Bar(0.7, "y"),))
    found = measure(row, Plan(rounds=3))
    assert found.comparisons == {
        "x": Comparison("x", 2.0, (1.0, 3.0, 2.0)),
        "y": Comparison("y", 0.5, (0.25, 0.75, 0.5)),
    }
    assert [each.verdict for each in found.judgements] == [Verdict.SHORT]


def test_where_less_is_better_the_rivals_excess_is_our_merit() -> None:
    found = measure(scenario(side(OURS, 2), side("x", 8), better=Better.LESS), Plan(rounds=1))
    assert found.comparisons["x"].ratio == 4.0


def test_a_side_that_fails_is_left_out_and_the_others_go_on() -> None:
    row = scenario(failing(OURS, WrongAnswerError("got 3, expected 4")), side("x", 1, 2, 3), bars=(Bar(1.0, "x"),))
    found = measure(row, Plan(rounds=3))
    ours, other = found.sides
    assert (ours.values, ours.failure) == ((), "WrongAnswerError: got 3, expected 4")
    assert (other.values, other.failure) == ((1, 2, 3), None)
    assert found.comparisons == {}
    assert [each.verdict for each in found.judgements] == [Verdict.UNKNOWN]


def test_a_side_that_fails_in_a_later_round_keeps_what_it_has() -> None:
    calls = iter([False, True])
    found = measure(scenario(failing("x", ValueError("no"), lambda: next(calls))), Plan(rounds=5))
    assert (found.sides[0].values, found.sides[0].failure) == ((1.0,), "ValueError: no")


def test_whoever_watches_hears_of_each_step() -> None:
    told: list[str] = []
    measure(scenario(side("a", 9, 1, warm_up=1), name="ring"), Plan(rounds=1), told.append)
    assert told == ["ring: a warms up", "ring: round 1 of 1, a"]
