"""Runs a scenario in rounds: warm-up, then the sides in turn, so that the drift of a shared machine hits them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from benchmarks.figures import Bar, Better, Comparison, Judgement, Spread, compare, judge
from benchmarks.units import Unit

OURS = "tutela"

Fact = float | str


class WrongAnswerError(Exception):
    """Raised when an exchange does not come to its end, or to a wrong one: its figure would mean nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of one side gave.

    Attributes:
        value: the figure, in the base unit of the scenario.
        facts: what else is worth knowing of it, by name.
    """

    value: float
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Side:
    """One contender of a scenario.

    Attributes:
        name: who it is; `OURS` for the runtime itself.
        run: measures once with a count, and raises when its answer is wrong.
        count: how much work a round is; `quick` the same for a smoke run.
        warm_up: how much work goes before the first round; 0 for none (where each run is a program of its own).
    """

    name: str
    run: Callable[[int], Sample]
    count: int
    quick: int
    warm_up: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the report.

    Attributes:
        name: how the command line calls it.
        title: what it measures, in words.
        sides: opens the sides; they live as long as the context.
        bars: what is asked of it.
        most_rounds: a limit on the rounds where one is long, or None.
        skipped: rivals that have no such side, each with the reason.
    """

    name: str
    title: str
    unit: Unit
    better: Better
    sides: Callable[[], AbstractContextManager[Sequence[Side]]]
    bars: tuple[Bar, ...] = ()
    most_rounds: int | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 5
    quick: bool = False


@dataclass(frozen=True, slots=True)
class SideResult:
    """The values of one side by rounds, the facts of its last round, and why it stopped early, if it did."""

    name: str
    count: int
    values: tuple[float, ...]
    facts: Mapping[str, Fact]
    failure: str | None

    @property
    def spread(self) -> Spread | None:
        """Median, lowest and highest; None when no round was finished."""
        return Spread.of(self.values) if self.values else None


@dataclass(frozen=True, slots=True)
class Result:
    """What a scenario gave."""

    scenario: Scenario
    sides: tuple[SideResult, ...]
    comparisons: Mapping[str, Comparison]
    judgements: tuple[Judgement, ...]

    def side(self, name: str) -> SideResult | None:
        """Return the side called `name`, if it took part."""
        return next((side for side in self.sides if side.name == name), None)


def order_of(round_number: int, sides: Sequence[Side]) -> list[Side]:
    """Return the sides in the order of a round: each round begins one further on, so none is always first."""
    start = round_number % len(sides)
    return [*sides[start:], *sides[:start]]


def measure(scenario: Scenario, plan: Plan, told: Callable[[str], None] = lambda _: None) -> Result:
    """Run a scenario and compare its sides.

    A side that raises is left out of the following rounds and the others go on. `told` hears of each step. Blocks
    until all is done; every side runs on its own, never two at a time.
    """
    values: dict[str, list[float]] = {}
    facts: dict[str, Mapping[str, Fact]] = {}
    failures: dict[str, str] = {}
    with scenario.sides() as sides:
        counts = {side.name: side.quick if plan.quick else side.count for side in sides}
        values = {side.name: [] for side in sides}

        def attempt(side: Side, count: int) -> Sample | None:
            try:
                return side.run(count)
            except Exception as error:
                # one side that fails must not take the figures of the others with it; it is shown, and the exit code
                failures[side.name] = f"{type(error).__name__}: {error}"
                return None

        for side in sides:
            if side.warm_up:
                told(f"{scenario.name}: {side.name} warms up")
                attempt(side, min(side.warm_up, counts[side.name]))
        rounds = plan.rounds if scenario.most_rounds is None else min(plan.rounds, scenario.most_rounds)
        for number in range(rounds):
            for side in order_of(number, sides):
                if side.name in failures:
                    continue
                told(f"{scenario.name}: round {number + 1} of {rounds}, {side.name}")
                sample = attempt(side, counts[side.name])
                if sample is not None:
                    values[side.name].append(sample.value)
                    facts[side.name] = sample.facts
    found = tuple(
        SideResult(name, counts[name], tuple(made), facts.get(name, {}), failures.get(name))
        for name, made in values.items()
    )
    return evaluate(scenario, found)


def evaluate(scenario: Scenario, sides: Sequence[SideResult]) -> Result:
    """Compare what the sides of a scenario gave and hold it against the bars."""
    ours = next((side for side in sides if side.name == OURS), None)
    comparisons: dict[str, Comparison] = {}
    if ours is not None and ours.values:
        for side in sides:
            if side.name != OURS and side.values:
                comparisons[side.name] = compare(scenario.better, side.name, ours.values, side.values)
    spread = ours.spread if ours is not None else None
    judgements = tuple(judge(bar, scenario.better, spread, comparisons) for bar in scenario.bars)
    return Result(scenario, tuple(sides), comparisons, judgements)
