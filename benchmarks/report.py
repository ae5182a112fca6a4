"""Shows results: as a table for people, and as plain values for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.figures import Bar, Better, Judgement, Spread, Verdict
from benchmarks.harness import OURS, Fact, Plan, Result, SideResult
from benchmarks.machine import Machine
from benchmarks.units import Unit

WIDTH = 150
COLOURS = {Verdict.OK: "green", Verdict.SHORT: "red", Verdict.UNKNOWN: "yellow"}


def show(console: Console, machine: Machine, plan: Plan, results: Sequence[Result]) -> None:
    """Print the table, the facts under it, and what failed."""
    table = Table(
        title=f"{plan.rounds} round{'s' * (plan.rounds != 1)}: median (lowest to highest)", title_justify="left"
    )
    for heading in ("what", "side", "figure", "tutela is better", "by rounds", "asked", "verdict"):
        table.add_column(heading, overflow="fold")
    for result in results:
        _add(table, result)
    console.print(machine.line(), highlight=False)
    if plan.quick:
        console.print("A smoke run: the counts are too small for its figures to mean anything.", highlight=False)
    console.print(table)
    for result in results:
        for side in result.sides:
            if side.facts:
                facts = ", ".join(f"{name} {_fact(value)}" for name, value in side.facts.items())
                console.print(Text(f"{result.scenario.name}, {side.name}: {facts}"), soft_wrap=True)
    for result in results:
        for side in result.sides:
            if side.failure:
                failed = f"FAILED {result.scenario.name}, {side.name}: {side.failure}"
                console.print(Text(failed, style="red"), soft_wrap=True)


def as_values(machine: Machine, plan: Plan, results: Sequence[Result]) -> dict[str, Any]:
    """Return all as plain values: figures in base units, rounds in their order."""
    return {
        "benchmark": "throughput",
        "machine": asdict(machine),
        "rounds": plan.rounds,
        "quick": plan.quick,
        "scenarios": [_scenario_values(result) for result in results],
    }


def asked(bar: Bar, better: Better, unit: Unit) -> str:
    """Return a bar in words, such as ``"0.7x erlang"`` or ``"goal: at most 300 ms"``."""
    goal = "goal: " if bar.goal else ""
    if bar.against is not None:
        return f"{goal}{bar.limit:g}x {bar.against}"
    return f"{goal}at {'least' if better is Better.MORE else 'most'} {unit.show(bar.limit)}"


def _add(table: Table, result: Result) -> None:
    scenario = result.scenario
    own = [found for found in result.judgements if found.bar.against is None]
    for place, side in enumerate(result.sides):
        comparison = result.comparisons.get(side.name)
        mine = own if side.name == OURS else [found for found in result.judgements if found.bar.against == side.name]
        table.add_row(
            scenario.title if place == 0 else "",
            side.name,
            _figure(scenario.unit, side),
            f"{comparison.ratio:.2f}x" if comparison else "",
            f"{min(comparison.rounds):.2f}–{max(comparison.rounds):.2f}" if comparison else "",
            "\n".join(asked(found.bar, scenario.better, scenario.unit) for found in mine),
            _verdicts(mine),
            end_section=place == len(result.sides) - 1,
        )


def _verdicts(judgements: Sequence[Judgement]) -> Text:
    shown = Text()
    for place, found in enumerate(judgements):
        # a goal that is not reached is no failure
        short_goal = found.bar.goal and found.verdict is Verdict.SHORT
        shown.append(
            "\n" * (place > 0) + ("not yet" if short_goal else found.verdict.value),
            style=("yellow" if short_goal else COLOURS[found.verdict]),
        )
    return shown


def _figure(unit: Unit, side: SideResult) -> str:
    if side.spread is None:
        return "failed"
    return spread_text(unit, side.spread)


def spread_text(unit: Unit, spread: Spread) -> str:
    """Return a spread in the unit that people read."""
    if spread.low == spread.high:
        return unit.show(spread.median)
    return f"{unit.show(spread.median)} ({unit.show(spread.low)} to {unit.show(spread.high)})"


def _fact(value: Fact) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if float(value).is_integer() or value >= 1000 else f"{value:,.3g}"


def _scenario_values(result: Result) -> dict[str, Any]:
    scenario = result.scenario
    return {
        "name": scenario.name,
        "title": scenario.title,
        "unit": scenario.unit.value,
        "better": scenario.better.value,
        "sides": {side.name: _side_values(side) for side in result.sides},
        "ratios": {
            name: {"median": _finite(found.ratio), "rounds": [_finite(ratio) for ratio in found.rounds]}
            for name, found in result.comparisons.items()
        },
        "bars": [
            {
                "against": found.bar.against,
                "limit": found.bar.limit,
                "goal": found.bar.goal,
                "value": None if found.value is None else _finite(found.value),
                "verdict": found.verdict.value,
            }
            for found in result.judgements
        ],
    }


def _finite(value: float) -> float | None:
    """JSON has no infinity: a ratio to nothing is none."""
    return value if math.isfinite(value) else None


def _side_values(side: SideResult) -> dict[str, Any]:
    return {
        "count": side.count,
        "values": list(side.values),
        "spread": asdict(side.spread) if side.spread else None,
        "facts": dict(side.facts),
        "failure": side.failure,
    }
