"""The rows of `throughput`: what each measures, on which sides, with how much work, and what is asked of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from benchmarks import child, erlang_rival, pykka_rival
from benchmarks.erlang_rival import Erlang
from benchmarks.figures import Bar, Better
from benchmarks.harness import OURS, Sample, Scenario, Side
from benchmarks.library_rows import library_rows
from benchmarks.tutela_side import APP, HOST, TWO_WORKERS, Tutela, tutela
from benchmarks.units import Unit

ERLANG = erlang_rival.NAME
PYKKA = pykka_rival.NAME
ONE_WORKER = "one worker"
OWN_SPAWN = "own spawn"
BARE_PYTHON = "python -c pass"
ARENA = APP.with_name("arena")
SMALL_APP = child.PROGRAMS / "small_app"

BATCH = 1_000
SENDERS = 100
RING = 1_000

Opened = Callable[[], AbstractContextManager[Sequence[Side]]]


def scenarios(erlang: Erlang | None) -> tuple[Scenario, ...]:
    """Return all rows; without Erlang its sides are left out."""
    return (
        _exchange(
            "pingpong_integer",
            "ping-pong of an integer",
            lambda ours: Side(OURS, ours.pingpong_integer, 500_000, 20_000, 50_000),
            Side(ERLANG, erlang.pingpong_integer, 500_000, 20_000, 50_000) if erlang else None,
            Side(PYKKA, pykka_rival.pingpong_integer, 8_000, 500, 500),
            bars=(Bar(50.0, PYKKA), Bar(100.0, PYKKA, goal=True)),
        ),
        _exchange(
            "pingpong_table",
            "ping-pong of a table of two fields",
            lambda ours: Side(OURS, ours.pingpong_table, 500_000, 20_000, 50_000),
            Side(ERLANG, erlang.pingpong_table, 500_000, 20_000, 50_000) if erlang else None,
            Side(PYKKA, pykka_rival.pingpong_table, 8_000, 500, 500),
            bars=(Bar(0.7, ERLANG), Bar(1.0, ERLANG, goal=True), Bar(50.0, PYKKA), Bar(100.0, PYKKA, goal=True)),
        ),
        _exchange(
            "ring",
            f"ring of {RING:,} processes",
            lambda ours: Side(OURS, partial(ours.ring, RING), 1_000, 20, 100),
            Side(ERLANG, partial(erlang.ring, RING), 1_000, 20, 100) if erlang else None,
            Side(PYKKA, partial(pykka_rival.ring, RING), 8, 1),
            bars=(Bar(1.0, ERLANG), Bar(1.5, ERLANG, goal=True)),
        ),
        _exchange(
            "fan_in",
            f"fan-in, {SENDERS} senders to one",
            lambda ours: Side(OURS, partial(ours.fan_in, SENDERS), 20_000, 500, 2_000),
            Side(ERLANG, partial(erlang.fan_in, SENDERS), 20_000, 500, 2_000) if erlang else None,
            Side(PYKKA, partial(pykka_rival.fan_in, SENDERS), 500, 20, 20),
            bars=(Bar(3.0, ERLANG), Bar(5.0, ERLANG, goal=True)),
        ),
        _exchange(
            "births",
            "spawn and exit",
            lambda ours: Side(OURS, lambda batches: ours.births(batches, BATCH), 300, 5, 30),
            Side(ERLANG, lambda batches: erlang.births(batches, BATCH), 300, 5, 30) if erlang else None,
            Side(PYKKA, pykka_rival.births, 1_000, 50, 50),
            unit=Unit.SECONDS,
            better=Better.LESS,
            bars=(Bar(0.7, ERLANG), Bar(1.0, ERLANG, goal=True)),
        ),
        _exchange(
            "births_watched",
            "spawn, monitor, exit seen",
            lambda ours: Side(OURS, lambda batches: ours.births_watched(batches, BATCH), 200, 5, 20),
            Side(ERLANG, lambda batches: erlang.births_watched(batches, BATCH), 200, 5, 20) if erlang else None,
            None,
            unit=Unit.SECONDS,
            better=Better.LESS,
        ),
        _idle(erlang),
        _exchange(
            "hosts_pingpong",
            "ping-pong of a table between two hosts",
            lambda ours: Side(OURS, ours.hosts_pingpong, 10_000, 500, 500),
            None,
            Side(PYKKA, pykka_rival.pingpong_table, 8_000, 500, 500),
            bars=(Bar(10.0, PYKKA, goal=True),),
        ),
        _exchange(
            "hosts_stream",
            "stream of integers between two hosts",
            lambda ours: Side(OURS, ours.hosts_stream, 500_000, 20_000, 50_000),
            Side(ERLANG, erlang.stream, 500_000, 20_000, 50_000) if erlang else None,
            Side(PYKKA, pykka_rival.stream, 60_000, 2_000, 2_000),
            bars=(Bar(1e6, goal=True),),
        ),
        _exchange(
            "call",
            "rt.call of a Lua function; pykka ask",
            lambda ours: Side(OURS, ours.call, 10_000, 300, 1_000),
            None,
            Side(PYKKA, pykka_rival.ask, 5_000, 300, 500),
            unit=Unit.CALLS,
            bars=(Bar(1.5, PYKKA), Bar(2.0, PYKKA, goal=True)),
        ),
        _exchange(
            "call_limited",
            "the same with a time limit for each",
            lambda ours: Side(OURS, ours.call_limited, 5_000, 300, 500),
            None,
            Side(PYKKA, pykka_rival.ask_limited, 5_000, 300, 500),
            unit=Unit.CALLS,
        ),
        _funcs_call(),
        _exchange(
            "exec",
            "rt.exec of a process; pykka start, ask, stop",
            lambda ours: Side(OURS, ours.exec, 8_000, 300, 1_000),
            None,
            Side(PYKKA, pykka_rival.start_ask_stop, 2_000, 100, 100),
            unit=Unit.CALLS,
        ),
        _two_workers(),
        _start_up(erlang),
        *library_rows(),
        _crowd(erlang),
        _hostile(erlang),
    )


def _exchange(
    name: str,
    title: str,
    ours: Callable[[Tutela], Side],
    *rivals: Side | None,
    unit: Unit = Unit.MESSAGES,
    better: Better = Better.MORE,
    bars: tuple[Bar, ...] = (),
    most_rounds: int | None = None,
) -> Scenario:
    """Make a row of which our side runs in a runtime of its own, open for the rounds of this row only."""

    @contextmanager
    def opened() -> Iterator[Sequence[Side]]:
        with tutela() as running:
            yield [ours(running), *(side for side in rivals if side is not None)]

    return Scenario(name, title, unit, better, opened, bars, most_rounds)


def _programs(*sides: Side | None) -> Opened:
    """Open sides that are programs of their own: nothing has to live between the rounds."""

    @contextmanager
    def opened() -> Iterator[Sequence[Side]]:
        yield [side for side in sides if side is not None]

    return opened


def _idle(erlang: Erlang | None) -> Scenario:
    def measured(*command: str) -> Callable[[int], Sample]:
        def run(count: int) -> Sample:
            found = child.ask_json(child.python(*command, count), timeout=120.0)
            if found["answered"] != count:
                raise child.ChildFailedError(f"{found['answered']} of {count} answered")
            return Sample(found["bytes"])

        return run

    return Scenario(
        "idle",
        "memory of a process that waits",
        Unit.BYTES,
        Better.LESS,
        _programs(
            Side(OURS, measured("idle_tutela.py", str(APP)), 50_000, 5_000),
            Side(ERLANG, erlang.idle, 50_000, 5_000) if erlang else None,
            Side(PYKKA, measured("idle_pykka.py"), 1_000, 100),
        ),
        (Bar(2.6 * 1024),),
    )


def _funcs_call() -> Scenario:
    @contextmanager
    def opened() -> Iterator[Sequence[Side]]:
        with tutela() as running:
            yield [
                Side(OURS, running.funcs_call, 300_000, 5_000, 30_000),
                Side(OWN_SPAWN, lambda batches: running.births(batches, BATCH), 300, 5, 30),
            ]

    bars = (Bar(1 / 3, OWN_SPAWN),)
    return Scenario("funcs_call", "funcs.call inside a VM; our own spawn", Unit.SECONDS, Better.LESS, opened, bars)


def _two_workers() -> Scenario:
    @contextmanager
    def opened() -> Iterator[Sequence[Side]]:
        with tutela() as running:
            yield [
                Side(OURS, lambda limit: running.primes(limit, TWO_WORKERS), 600_000, 20_000, 100_000),
                Side(ONE_WORKER, lambda limit: running.primes(limit, HOST), 600_000, 20_000, 100_000),
            ]

    bars = (Bar(1.6, ONE_WORKER), Bar(1.7, ONE_WORKER, goal=True))
    return Scenario("two_workers", "processor work, two workers", Unit.CALLS, Better.MORE, opened, bars)


def _start_up(erlang: Erlang | None) -> Scenario:
    def program(command: Sequence[str], answer: str | None = "hello, world") -> Callable[[int], Sample]:
        return lambda repeats: child.first_answer(command, answer, repeats)

    beam = (
        ["erl", *erlang_rival.ONE_SCHEDULER, "-pa", str(erlang.beams), "-s", "throughput_rival", "hello"]
        if erlang
        else []
    )
    return Scenario(
        "start_up",
        "start-up of an app of 10 entries",
        Unit.SECONDS,
        Better.LESS,
        _programs(
            Side(OURS, program(child.python("hello_tutela.py", SMALL_APP)), 3, 1, 1),
            Side(ERLANG, program(beam), 3, 1, 1) if erlang else None,
            Side(PYKKA, program(child.python("hello_pykka.py")), 3, 1, 1),
            Side(BARE_PYTHON, program([sys.executable, "-c", "pass"], None), 3, 1, 1),
        ),
        (Bar(0.3, goal=True),),
    )


def _crowd(erlang: Erlang | None) -> Scenario:
    return _exchange(
        "crowd",
        "200,000 live processes all answer a ping",
        lambda ours: Side(OURS, ours.crowd, 200_000, 5_000),
        Side(ERLANG, erlang.crowd, 200_000, 5_000) if erlang else None,
        unit=Unit.SECONDS,
        better=Better.LESS,
        most_rounds=3,
    )


def _hostile(erlang: Erlang | None) -> Scenario:
    def run(seconds: int) -> Sample:
        found = child.ask_json(child.python("hostile_tutela.py", ARENA, seconds), timeout=60.0 + 10 * seconds)
        facts: dict[str, float | str] = {
            f"{key} ms": found[key] * 1e3 for key in ("p90", "p99", "max", "alone", "stop")
        }
        counted = ("pings", "lost", "survivors", "replaced", "neighbours_alive", "hog", "recursion")
        facts.update({key.replace("_", " "): found[key] for key in counted})
        facts["resident MB"] = found["resident"] / 2**20
        return Sample(found["median"], facts)

    return Scenario(
        "hostile",
        "ping from Python among bad neighbours",
        Unit.SECONDS,
        Better.LESS,
        _programs(
            Side(OURS, run, 5, 2),
            Side(ERLANG, lambda seconds: erlang.hostile(100, 10, seconds), 5, 1) if erlang else None,
        ),
        (Bar(0.05),),
        most_rounds=1,
    )
