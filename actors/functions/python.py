"""Functions of Python (`function.python`, spec registry.md §10.10): imported once, called by kernels."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from actors.clock import Clock
from actors.errors import CANCELED, INTERNAL, NOT_FOUND, UNAVAILABLE, Failure, ProcessError
from actors.functions.loop import LoopThread
from actors.functions.targets import Target, find_target
from actors.functions.threads import Threads
from actors.hosts import Switchboard, VMWorker
from actors.vm.wire import Input, check

log = logging.getLogger(__name__)

DEFAULT_THREADS: Final = 16
"""Threads of a plain function whose entry names no number."""
STOP_TIMEOUT: Final = 5.0
"""Seconds that functions get to end when the runtime stops; then their threads are left behind."""


class _Call:
    """One call of a kernel: answered once, if anybody still waits for it."""

    def __init__(self, worker: VMWorker, ref: int, id: str, held: AbstractContextManager[None]) -> None:
        self.worker = worker
        self.ref = ref
        self.id = id
        self.held = held  # while it is open, virtual time stands still
        self.over = False
        self.task: asyncio.Task[None] | None = None


class _Function:
    """One life of an entry: its target, and the threads that run it."""

    def __init__(self, id: str, target: Target, workers: int) -> None:
        self.id = id
        self.target = target
        self.workers = workers
        self.threads = None if target.is_async else Threads(f"function {id}", workers or DEFAULT_THREADS)
        self.room: asyncio.Semaphore | None = None  # of the loop's thread


class PythonFunctions:
    """Runs `function.python` entries for the kernels: plain functions on threads of their own, async ones on one event
    loop. Safe from any thread.

    Under a `VirtualClock` time stands still while a function runs that somebody waits for.

    Args:
        board: through which kernels ask and are answered.
    """

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._hold = _holder(board.clock)
        self._lock = threading.Lock()  # guards the tables; nothing is called while it is held
        self._functions: dict[str, _Function] = {}
        self._staged: dict[str, _Function] = {}
        self._retired: list[Threads] = []
        self._calls: dict[tuple[int, int], _Call] = {}
        self._loop = LoopThread("functions")
        board.serve("function", self._on_call)
        board.serve("function.abandon", self._on_abandon)
        board.on_departure(self._on_departure)

    # changes of the registry, on the thread that applies

    def stage(self, id: str, source: str, workers: int) -> None:
        """Import what an entry names; it takes effect at `commit`.

        Raises:
            TargetError: there is no such function.
        """
        self._staged[id] = _Function(id, find_target(source), workers)

    def commit(self, removed: Iterable[str]) -> None:
        """Call what was staged from now on, and no more what was removed; calls that run go on."""
        with self._lock:
            old = [self._functions.pop(id, None) for id in (*removed, *self._staged)]
            self._functions.update(self._staged)
            self._retired += [function.threads for function in old if function and function.threads]
            retired = self._retired
        self._staged = {}
        for threads in retired:
            threads.stop()
        self._retired = [threads for threads in retired if not threads.join(0.0)]

    def discard(self) -> None:
        """Forget what was staged."""
        self._staged = {}

    def stop(self) -> None:
        """Cancel the calls that run and end the threads; one that does not come back is left behind."""
        with self._lock:
            pools = [function.threads for function in self._functions.values() if function.threads] + self._retired
            self._functions, self._retired = {}, []
            calls = list(self._calls.values())
        for call in calls:
            self._finish(call, False, Failure("the runtime stops", UNAVAILABLE))
        for threads in pools:
            threads.stop()
        ended = self._loop.stop(STOP_TIMEOUT)
        for threads in pools:
            ended = threads.join(STOP_TIMEOUT) and ended
        if not ended:
            names = ", ".join(sorted({call.id for call in calls})) or "a call that nobody waits for"
            log.warning("Python functions still run and are left behind: %s", names)

    # calls of kernels, on the threads of VM workers

    def _on_call(self, worker: VMWorker, ref: int | None, pid: str, arguments: Any) -> None:
        id, *args = arguments
        with self._lock:
            function = self._functions.get(id)
        if function is None or ref is None:
            text = f"no handler registered for target: {id}"
            self._board.answer(worker, ref, False, Failure(text, NOT_FOUND, False))
            return
        held = self._hold()
        held.__enter__()
        call = _Call(worker, ref, id, held)
        with self._lock:
            self._calls[worker.vm, ref] = call
        if not self._begin(function, call, args):
            self._finish(call, False, Failure(f"{id} was removed, or the runtime stops", UNAVAILABLE, True))

    def _on_abandon(self, worker: VMWorker, ref: int | None, pid: str, arguments: Any) -> None:
        with self._lock:
            call = self._calls.get((worker.vm, arguments[0]))
        if call is not None:
            self._abandon(call)

    def _on_departure(self, vm: int) -> None:
        with self._lock:
            calls = [call for key, call in self._calls.items() if key[0] == vm]
        for call in calls:
            self._abandon(call)

    def _abandon(self, call: _Call) -> None:
        def cancel() -> None:
            if call.task is not None:
                call.task.cancel("its caller is gone")

        self._finish(call, False, None)
        self._loop.call(cancel)

    def _begin(self, function: _Function, call: _Call, args: list[Any]) -> bool:
        if function.threads is not None:
            return function.threads.submit(lambda: self._run(function, call, args))

        def began(task: asyncio.Task[None]) -> None:
            call.task = task

        return self._loop.start(lambda: self._arun(function, call, args), began)

    def _run(self, function: _Function, call: _Call, args: list[Any]) -> None:
        if call.over:
            return
        try:
            value = function.target.function(*args)
        except BaseException as error:  # also SystemExit: the thread is ours, and the caller waits
            self._fail(call, error)
        else:
            self._succeed(call, value)

    async def _arun(self, function: _Function, call: _Call, args: list[Any]) -> None:
        if function.workers and function.room is None:
            function.room = asyncio.Semaphore(function.workers)
        try:
            async with function.room or nullcontext():
                if call.over:
                    return
                value = await function.target.function(*args)
        except BaseException as error:  # what a task lets through would end the loop of all others
            self._fail(call, error)
        else:
            self._succeed(call, value)

    def _succeed(self, call: _Call, value: Any) -> None:
        self._finish(call, True, value)

    def _fail(self, call: _Call, error: BaseException) -> None:
        self._finish(call, False, failure_of(error))

    def _finish(self, call: _Call, ok: bool, value: Any) -> None:
        with self._lock:
            if call.over:
                return
            call.over = True
            self._calls.pop((call.worker.vm, call.ref), None)
        if ok or value is not None:
            try:
                checked = check(value)
            except ProcessError as error:
                text = f"the {'result' if ok else 'error'} of {call.id}: {error.message}"
                ok, checked = False, check(Failure(text, error.kind, False))
            call.worker.post([Input.ANSWER, call.ref, ok, checked])
        call.held.__exit__(None, None, None)


def failure_of(error: BaseException) -> Failure:
    """Return what a function failed with, as a value (spec registry.md §10.10)."""
    stack = _stack(error)
    if isinstance(error, ProcessError):
        failure = error.failure()
        kept = failure.stack or stack
        return Failure(failure.message, failure.kind or INTERNAL, failure.retryable, failure.details, kept)
    if isinstance(error, asyncio.CancelledError):
        return Failure("the function was canceled", CANCELED, stack=stack)
    text = str(error)
    name = type(error).__name__
    return Failure(f"{name}: {text}" if text else name, INTERNAL, None, None, stack)


def _stack(error: BaseException) -> str:
    # innermost first, as that of Lua; without the frames of this module
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return "\n".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in reversed(frames))


def _holder(clock: Clock) -> Callable[[], AbstractContextManager[None]]:
    hold: Callable[[], AbstractContextManager[None]] | None = getattr(clock, "hold", None)
    return hold if hold is not None else nullcontext
