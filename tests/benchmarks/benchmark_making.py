"""Scenarios and results for the tests, made without running anything real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.figures import Bar, Better
from benchmarks.harness import Sample, Scenario, Side
from benchmarks.machine import Machine
from benchmarks.units import Unit

MACHINE = Machine(2, "Linux x86_64", "3.11.0", "2.6", "LuaJIT 2.1", "4.2", "not found")


def scenario(
    *sides: Side,
    name: str = "exchange",
    unit: Unit = Unit.MESSAGES,
    better: Better = Better.MORE,
    bars: tuple[Bar, ...] = (),
    most_rounds: int | None = None,
) -> Scenario:
    @contextmanager
    def opened() -> Iterator[Sequence[Side]]:
        yield sides

    return Scenario(name, "an <exchange> & more", unit, better, opened, bars, most_rounds)


def side(name: str, *values: float, log: list[tuple[str, int]] | None = None, warm_up: int = 0) -> Side:
    """A side that gives the values one after the other, and notes what it is asked to do."""
    left = list(values)

    def run(count: int) -> Sample:
        if log is not None:
            log.append((name, count))
        return Sample(left.pop(0), {"count": count})

    return Side(name, run, count=100, quick=5, warm_up=warm_up)


def failing(name: str, error: Exception, after: Callable[[], bool] = lambda: True) -> Side:
    def run(count: int) -> Sample:
        if after():
            raise error
        return Sample(1.0)

    return Side(name, run, count=1, quick=1)
