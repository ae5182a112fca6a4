"""The terminal of a runtime: stdin, stdout, stderr and arguments for the one process of a terminal host."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from actors.errors import INTERNAL, Failure
from actors.terminal.ending import Ending
from actors.terminal.outcome import outcome_of
from actors.terminal.quiet import Quiet
from actors.terminal.reader import InputReader
from actors.vm.wire import Input, check

log = logging.getLogger(__name__)


class Worker(Protocol):
    """What the terminal needs of the worker whose VM runs its process."""

    vm: int

    def post(self, item: Any) -> None: ...


class Terminal:
    """Connects the process of a `terminal.host` with streams (spec cli.md §8).

    Records of the process come on the thread of its VM's worker: a stream that is slow holds up that VM alone.

    Args:
        stdin, stdout, stderr: text or binary streams; by default those of the program, as they are at each use.
        args: what `io.args()` gives.
    """

    def __init__(
        self,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        *,
        args: Sequence[str] = (),
    ) -> None:
        self._stdin = stdin
        self._outputs = {1: stdout, 2: stderr}
        self.args = tuple(args)
        self._reader = InputReader(lambda: self._stdin if self._stdin is not None else sys.stdin)
        self._quiet = Quiet()
        self._ending: Ending | None = None
        self._stopping: Callable[[], bool] = lambda: False
        self._living: tuple[int, str] | None = None  # the VM and the PID of the process

    def connect(self, ending: Ending, stopping: Callable[[], bool]) -> None:
        """Say who is told of the end of the process, and who knows whether the runtime is being stopped anyway."""
        self._ending = ending
        self._stopping = stopping

    def handle(self, worker: Worker, record: list[Any]) -> None:
        """Carry out a record of the kernel; see actors/lua/terminal.lua."""
        what, rest = record[1], record[2:]
        if what == "write":
            why = self.write(rest[0], rest[1])
            if why:
                worker.post([Input.TERMINAL, rest[0], why])
        elif what == "read":
            ref = rest[0]
            self._reader.read(rest[1], lambda ok, value: worker.post([Input.ANSWER, ref, ok, check(value)]))
        elif what == "began":
            self._living = (worker.vm, rest[0])
            if rest[1]:
                self._quiet.begin([self._output(1), self._output(2)])
        elif what == "ended":
            # after what left the VM together with it: who watched the process hears of it before all is stopped
            worker.post(lambda: self._end(rest[1], rest[2]))

    def lost(self, vm: int, message: str) -> None:
        """Hear that a VM was given up; its process ended then."""
        if self._living is not None and self._living[0] == vm:
            self._end(None, Failure(message, INTERNAL))

    def write(self, stream: int, text: str | bytes) -> str:
        """Write to stream 1 or 2, and return why it can't be written to any more; empty when it can."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)
        try:
            _write(self._output(stream), data)
        except (OSError, ValueError) as error:
            name = "stdout" if stream == 1 else "stderr"
            log.debug("%s is closed: %s", name, error)
            return f"{name} is closed: {error}"
        return ""

    def close(self) -> None:
        """Read nothing more."""
        self._reader.close()
        self._quiet.end()

    def _output(self, stream: int) -> Any:
        given = self._outputs[stream]
        if given is not None:
            return given
        return sys.stdout if stream == 1 else sys.stderr

    def _end(self, value: Any, failure: Failure | None) -> None:
        self._living = None
        self._quiet.end()
        outcome = outcome_of(value, failure, stopping=self._stopping())
        if outcome.out is not None:
            self.write(1, outcome.out)
            self.write(1, "\n")
        if outcome.err is not None:
            self.write(2, outcome.err + "\n")
        if self._ending is not None:
            self._ending.request(outcome.code)


def _write(stream: Any, data: bytes) -> None:
    """Write all of `data`, at once: nothing stays in a buffer that may fail at the program's end."""
    if stream is None:
        raise OSError("the program has no such stream")
    stream.flush()
    fd: int | None = None
    with contextlib.suppress(AttributeError, io.UnsupportedOperation):
        fd = stream.fileno()
    if fd is not None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        return
    binary = getattr(stream, "buffer", stream)
    if isinstance(binary, io.TextIOBase):
        binary.write(data.decode("utf-8", "replace"))
    else:
        binary.write(data)
    binary.flush()
