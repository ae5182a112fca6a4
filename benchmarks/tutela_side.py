"""Our side: apps that are driven through the public embedding API, their processes through the public `process` API.

The exchanges drive themselves inside Lua; Python takes the time around one `Runtime.exec`, whose cost (well under a
millisecond) counts against us.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from actors import Runtime
from benchmarks.harness import Sample, WrongAnswerError

APP = Path(__file__).with_name("app")
HOST = "bench:host1"
OTHER_HOST = "bench:host2"
TWO_WORKERS = "bench:pair"
PATIENCE = 300.0
JOBS = 4


class Tutela:
    """The exchanges on a running `bench` app; made by `tutela()`."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def pingpong_integer(self, rounds: int) -> Sample:
        return self._rate(2 * rounds, rounds, "pingpong_integer", rounds, HOST)

    def pingpong_table(self, rounds: int) -> Sample:
        return self._rate(2 * rounds, rounds, "pingpong_table", rounds, HOST)

    def ring(self, size: int, rounds: int) -> Sample:
        return self._rate(size * rounds, size * rounds, "ring", size, rounds)

    def fan_in(self, senders: int, count: int) -> Sample:
        return self._rate(senders * count, senders * count * (count + 1) // 2, "fan_in", senders, count)

    def births(self, batches: int, size: int) -> Sample:
        return self._time_each(batches * size, "births", batches, size)

    def births_watched(self, batches: int, size: int) -> Sample:
        return self._time_each(batches * size, "births_watched", batches, size)

    def hosts_pingpong(self, rounds: int) -> Sample:
        return self._rate(2 * rounds, rounds, "pingpong_table", rounds, OTHER_HOST)

    def hosts_stream(self, count: int) -> Sample:
        return self._rate(count, count * (count + 1) // 2, "stream", count, OTHER_HOST)

    def call(self, count: int) -> Sample:
        """Python calls a Lua function, one call after the other, and waits however long each takes."""
        return self._calls(count, None)

    def call_limited(self, count: int) -> Sample:
        """The same, each call with a time limit."""
        return self._calls(count, PATIENCE)

    def _calls(self, count: int, timeout: float | None) -> Sample:
        call = self.runtime.call
        started = time.perf_counter()
        for i in range(count):
            _expect(call("bench:add", i, 1, timeout=timeout), i + 1, "bench:add")
        return Sample(count / (time.perf_counter() - started))

    def funcs_call(self, count: int) -> Sample:
        """A process calls a Lua function, one call after the other; time of each."""
        return self._time_each(count, "funcs_call", count)

    def exec(self, count: int) -> Sample:
        """Python runs a process of its own for each sum, one after the other."""
        run = self.runtime.exec
        started = time.perf_counter()
        for i in range(count):
            _expect(run("bench:task", HOST, i, 1, timeout=PATIENCE), i + 1, "bench:task")
        return Sample(count / (time.perf_counter() - started))

    def primes(self, limit: int, host: str) -> Sample:
        """Four processes count primes at the same time; how many such jobs are done in a second."""
        with ThreadPoolExecutor(JOBS) as pool:
            started = time.perf_counter()
            jobs = [pool.submit(self.runtime.exec, "bench:primes", host, limit, timeout=PATIENCE) for _ in range(JOBS)]
            found = {job.result() for job in jobs}
            taken = time.perf_counter() - started
        if len(found) != 1:
            raise WrongAnswerError(f"the same count of primes gave {sorted(found)}")
        return Sample(JOBS / taken, {"primes": found.pop()})

    def crowd(self, count: int) -> Sample:
        """Time in which `count` live processes all answer a ping."""
        with Crowd(self.runtime) as crowd:
            started = time.perf_counter()
            crowd.grow(count)
            grown = time.perf_counter()
            answered = crowd.ask()
            asked = time.perf_counter()
        if answered != count:
            raise WrongAnswerError(f"{answered} of {count} processes answered")
        return Sample(asked - grown, {"answered": answered, "started in s": grown - started})

    def _run(self, expected: int, exchange: str, *args: Any) -> float:
        started = time.perf_counter()
        found = self.runtime.exec(f"bench:{exchange}", HOST, *args, timeout=PATIENCE)
        taken = time.perf_counter() - started
        _expect(found, expected, exchange)
        return taken

    def _rate(self, operations: int, expected: int, exchange: str, *args: Any) -> Sample:
        return Sample(operations / self._run(expected, exchange, *args))

    def _time_each(self, operations: int, exchange: str, *args: Any) -> Sample:
        return Sample(self._run(operations, exchange, *args) / operations)


class Crowd:
    """Waiting processes in one host, led by a process that takes orders from Python.

    A context manager: on leaving, all of them are told to stop and have ended.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._box = runtime.mailbox()
        self._runtime = runtime
        self._leader = runtime.spawn("bench:crowd", HOST, HOST)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._order("stop", 0)

    def grow(self, count: int) -> int:
        """Start `count` waiters more and return how many there are."""
        return self._order("grow", count)

    def ask(self) -> int:
        """Ping all waiters and return how many answered."""
        return self._order("ask", 0)

    def _order(self, topic: str, count: int) -> int:
        self._runtime.send(self._leader, topic, {"reply_to": self._box.pid, "count": count})
        return int(self._box.receive(timeout=PATIENCE).payload)


@contextmanager
def tutela() -> Iterator[Tutela]:
    """Run the `bench` app as long as the context lasts."""
    with Runtime.load(APP) as runtime:
        yield Tutela(runtime)


def _expect(found: Any, expected: int, what: str) -> None:
    if found != expected:
        raise WrongAnswerError(f"{what}: got {found!r}, expected {expected!r}")
