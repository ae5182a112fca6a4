"""What is computed from measured values: spreads, ratios, and whether a bar is met. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which way a value is better."""

    MORE = "more"
    LESS = "less"


class Verdict(Enum):
    """How a value stands to its bar."""

    OK = "ok"
    SHORT = "short"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, with the lowest and the highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of `values`, of which there is at least one."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many times better our side is than a rival; above 1 it is better, whichever way the unit goes.

    Attributes:
        rival: the name of the other side.
        ratio: the ratio of the two medians.
        rounds: the ratio within each round that both sides finished.
    """

    rival: str
    ratio: float
    rounds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked of a result.

    Attributes:
        limit: the least ratio to `against`; without a rival, the worst median of our own side, in base units.
        against: the rival of the ratio, or None.
        goal: whether it is only aimed at: shown, but no failure.
    """

    limit: float
    against: str | None = None
    goal: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """A bar with the value that was held against it (None when it was not measured)."""

    bar: Bar
    value: float | None
    verdict: Verdict


def times_better(better: Better, ours: float, theirs: float) -> float:
    """Return how many times better `ours` is than `theirs`; infinite where the worse of the two is zero."""
    over, under = (ours, theirs) if better is Better.MORE else (theirs, ours)
    return over / under if under else float("inf")


def compare(better: Better, rival: str, ours: Sequence[float], theirs: Sequence[float]) -> Comparison:
    """Compare two sides of a scenario, of which each finished at least one round.

    The n-th value of each belongs to the n-th round; where one side has fewer, the others are left out of `rounds`.
    """
    return Comparison(
        rival,
        times_better(better, statistics.median(ours), statistics.median(theirs)),
        tuple(times_better(better, own, other) for own, other in zip(ours, theirs, strict=False)),
    )


def judge(bar: Bar, better: Better, ours: Spread | None, comparisons: Mapping[str, Comparison]) -> Judgement:
    """Tell whether `bar` is met."""
    if bar.against is not None:
        found = comparisons.get(bar.against)
        if found is None:
            return Judgement(bar, None, Verdict.UNKNOWN)
        return Judgement(bar, found.ratio, Verdict.OK if found.ratio >= bar.limit else Verdict.SHORT)
    if ours is None:
        return Judgement(bar, None, Verdict.UNKNOWN)
    met = ours.median >= bar.limit if better is Better.MORE else ours.median <= bar.limit
    return Judgement(bar, ours.median, Verdict.OK if met else Verdict.SHORT)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below or at which `share` (0 to 1) of `values` lie: the nearest rank, always one of them."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[min(int(rank), len(ordered)) - 1]
