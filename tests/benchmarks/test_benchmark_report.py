from __future__ import annotations

import io
import json

from benchmark_making import MACHINE, failing, scenario, side
from rich.console import Console

from benchmarks import report
from benchmarks.figures import Bar, Better
from benchmarks.harness import OURS, Plan, Result, measure
from benchmarks.units import Unit


def shown(*results: Result, plan: Plan | None = None) -> str:
    stream = io.StringIO()
    report.show(Console(file=stream, width=report.WIDTH), MACHINE, plan or Plan(rounds=3), results)
    return stream.getvalue()


def test_the_table_shows_figures_ratios_what_is_asked_and_the_verdict() -> None:
    bars = (Bar(3.0, "erlang"), Bar(5.0, "erlang", goal=True))
    text = shown(measure(scenario(side(OURS, 4e6, 8e6, 6e6), side("erlang", 1e6, 2e6, 1e6), bars=bars), Plan(3)))
    assert MACHINE.line() in text
    assert "6.00 M/s (4.00 M/s to 8.00 M/s)" in text
    assert "6.00x" in text
    assert "4.00–6.00" in text
    assert "3x erlang" in text
    assert "goal: 5x erlang" in text
    assert "ok" in text
    assert "short" not in text


def test_a_bar_that_is_missed_is_short_and_a_goal_that_is_missed_is_not_yet_reached() -> None:
    bars = (Bar(3.0, "erlang"), Bar(5.0, "erlang", goal=True))
    text = shown(measure(scenario(side(OURS, 1e6), side("erlang", 1e6), bars=bars), Plan(1)))
    assert "short" in text
    assert "not yet" in text


def test_a_bar_of_our_own_is_shown_in_the_unit_of_the_row() -> None:
    row = scenario(side(OURS, 2048.0), unit=Unit.BYTES, better=Better.LESS, bars=(Bar(2662.4),))
    text = shown(measure(row, Plan(1)))
    assert "2.00 KB" in text
    assert "at most 2.60 KB" in text


def test_a_side_that_failed_is_named_with_its_reason() -> None:
    text = shown(measure(scenario(failing("pykka", ValueError("[no] such thing")), name="ring"), Plan(1)))
    assert "FAILED ring, pykka: ValueError: [no] such thing" in text


def test_a_smoke_run_says_that_its_figures_mean_nothing() -> None:
    assert "smoke run" in shown(plan=Plan(1, quick=True))
    assert "smoke run" not in shown(plan=Plan(1))


def test_the_plain_values_go_through_json_and_keep_every_round() -> None:
    bars = (Bar(3.0, "x"), Bar(1.0, "absent"))
    found = measure(scenario(side(OURS, 1.0, 0.0), side("x", 4.0, 3.0), better=Better.LESS, bars=bars), Plan(2))
    values = json.loads(json.dumps(report.as_values(MACHINE, Plan(2), [found]), allow_nan=False))
    assert values["machine"]["cores"] == 2
    (row,) = values["scenarios"]
    assert row["sides"][OURS]["values"] == [1.0, 0.0]
    assert row["sides"]["x"]["spread"] == {"median": 3.5, "low": 3.0, "high": 4.0}
    assert row["ratios"] == {"x": {"median": 7.0, "rounds": [4.0, None]}}
    assert [(bar["against"], bar["verdict"], bar["value"]) for bar in row["bars"]] == [
        ("x", "ok", 7.0),
        ("absent", "not measured", None),
    ]
