"""Erlang as a rival: the same exchanges on one scheduler, in a program of its own that is spoken to by lines."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Sample

NAME = "erlang"
SOURCE = Path(__file__).with_name("throughput_rival.erl")
ONE_SCHEDULER = ("-noshell", "+S", "1")


class ErlangError(Exception):
    """Raised when the Erlang program does not compile, does not answer in time, or answers with an error."""


def available() -> bool:
    """Tell whether `erl` and `erlc` are on the PATH."""
    return shutil.which("erl") is not None and shutil.which("erlc") is not None


class Erlang:
    """A running Erlang program; made by `erlang()`.

    Not for several threads. Each exchange runs in a fresh Erlang process and takes its own time, so that neither the
    pipe nor an old heap is part of a figure.
    """

    def __init__(self, beams: Path) -> None:
        self.beams = beams
        self._program = subprocess.Popen(
            ["erl", *ONE_SCHEDULER, "-pa", str(beams), "-s", "throughput_rival", "main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, exchange: str, *numbers: int, timeout: float = 300.0) -> dict[str, float]:
        """Run an exchange and return what it measured, by name.

        Raises:
            ErlangError: it failed, or took longer than `timeout` seconds; the program is then gone.
        """
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        line = " ".join([exchange, *map(str, numbers)])
        late = threading.Timer(timeout, self._program.kill)
        late.start()
        try:
            self._program.stdin.write(line + "\n")
            self._program.stdin.flush()
            answer = self._program.stdout.readline()
        except OSError as error:
            raise ErlangError(f"{line}: the Erlang program is gone ({error})") from error
        finally:
            late.cancel()
        word, _, rest = answer.strip().partition(" ")
        if word != "ok":
            raise ErlangError(f"{line}: {rest or f'no answer (it has {timeout:g} seconds)'}")
        pairs = (item.split("=", 1) for item in rest.split())
        return {key: float(value) for key, value in pairs}

    def close(self) -> None:
        """End the program."""
        if self._program.stdin is not None:
            self._program.stdin.close()
        try:
            self._program.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
        if self._program.stdout is not None:
            self._program.stdout.close()

    def rate(self, operations: float, exchange: str, *numbers: int) -> Sample:
        """Run an exchange that consists of `operations`, and return how many it did in a second."""
        return Sample(operations / (self.ask(exchange, *numbers)["ns"] / 1e9))

    def pingpong_integer(self, rounds: int) -> Sample:
        return self.rate(2 * rounds, "pingpong_integer", rounds)

    def pingpong_table(self, rounds: int) -> Sample:
        return self.rate(2 * rounds, "pingpong_table", rounds)

    def ring(self, size: int, rounds: int) -> Sample:
        return self.rate(size * rounds, "ring", size, rounds)

    def fan_in(self, senders: int, count: int) -> Sample:
        return self.rate(senders * count, "fan_in", senders, count)

    def births(self, batches: int, size: int) -> Sample:
        return self._time_each(batches * size, "births", batches, size)

    def births_watched(self, batches: int, size: int) -> Sample:
        return self._time_each(batches * size, "births_watched", batches, size)

    def stream(self, count: int) -> Sample:
        return self.rate(count, "stream", count)

    def idle(self, count: int) -> Sample:
        """Memory of a process that waits: growth of `erlang:memory(processes)`."""
        found = self.ask("idle", count)
        facts = {"process_info bytes": found["one"], "total bytes each": found["total"] / count}
        return Sample(found["processes"] / count, facts)

    def crowd(self, count: int) -> Sample:
        """Time in which `count` live processes all answer a ping."""
        found = self.ask("crowd", count)
        if found["answered"] != count:
            raise ErlangError(f"crowd: {found['answered']:.0f} of {count} answered")
        return Sample(found["ask_ns"] / 1e9, {"answered": count, "started in s": found["grow_ns"] / 1e9})

    def hostile(self, waiters: int, senders: int, seconds: int) -> Sample:
        """Median time of a ping among bad neighbours, whose heaps are bounded to 256 MB."""
        found = self.ask("hostile", waiters, senders, seconds, 256)
        facts = {
            "p99 ms": found["p99_ns"] / 1e6,
            "max ms": found["max_ns"] / 1e6,
            "pings": found["pings"],
            "alone median ms": found["calm_ns"] / 1e6,
            "neighbours ended": found["killed"],
        }
        return Sample(found["median_ns"] / 1e9, facts)

    def _time_each(self, operations: int, exchange: str, *numbers: int) -> Sample:
        return Sample(self.ask(exchange, *numbers)["ns"] / 1e9 / operations)


@contextmanager
def erlang() -> Iterator[Erlang]:
    """Compile the rival into a temporary folder and run it as long as the context lasts.

    Raises:
        ErlangError: it does not compile.
    """
    with tempfile.TemporaryDirectory(prefix="tutela-bench-") as folder:
        made = subprocess.run(["erlc", "-o", folder, str(SOURCE)], capture_output=True, text=True, check=False)
        if made.returncode:
            raise ErlangError(f"{SOURCE.name} does not compile: {made.stdout}{made.stderr}")
        running = Erlang(Path(folder))
        try:
            running.ask("stream", 1, timeout=30.0)
            yield running
        finally:
            running.close()


def version() -> str:
    """Return the OTP release and the emulator's flavour, such as ``"OTP 25 (jit)"``."""
    program = 'io:format("OTP ~s (~s)", [erlang:system_info(otp_release), erlang:system_info(emu_flavor)]), halt().'
    made = subprocess.run(
        ["erl", "-noshell", "-eval", program], capture_output=True, text=True, check=False, timeout=30
    )
    return made.stdout.strip()
