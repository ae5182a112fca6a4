"""What Python asks of VMs and waits for: spawns, function calls and other questions, each with its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from actors.errors import CANCELED, LIMIT_EXCEEDED, UNAVAILABLE, Failure, ProcessError
from actors.hosts.switchboard import Answered, Switchboard
from actors.hosts.worker import VMWorker
from actors.vm.wire import Input, LuaValue

NO_ROOM = "no room"
"""What a VM answers to a spawn when its share of `max_processes` is used up: another worker may have room."""


class Request:
    """One question to a VM. It is answered once, with (True, value) or (False, Failure), on any thread.

    `begin` asks, without waiting; `give_up` says that nobody waits any more, and what was begun for it is ended. Both
    may be called from any thread.

    Attributes:
        pid: the process that was begun for it, where there is one; empty until then.
    """

    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self.pid = ""
        self._lock = threading.Lock()  # guards what follows; nobody is called while it is held
        self._answered: Answered | None = None
        self._over = False
        self._ref = 0

    def begin(self, answered: Answered) -> None:
        """Ask; `answered` is called at most once, and not on the way back from an error that this raises."""
        raise NotImplementedError

    def give_up(self) -> None:
        """End what was asked for, if it has not been answered."""
        with self._lock:
            if self._over:
                return
            self._over = True
        self.abandoned()
        self._answer(False, Failure("nobody waits for the answer any more", CANCELED))

    def abandoned(self) -> None:
        """End what was begun."""

    def finish(self, ok: bool, value: Any) -> bool:
        """Hand out the answer; False when it comes too late."""
        with self._lock:
            if self._over:
                return False
            self._over = True
        self._answer(ok, value)
        return True

    def _hand_out(self, ok: bool, value: Any) -> None:
        self.finish(ok, value)

    def _answer(self, ok: bool, value: Any) -> None:
        if self._answered is not None:
            self._answered(ok, value)


class Question(Request):
    """A question that one VM answers and that begins nothing.

    Args:
        make: the record, given the number of the request.
    """

    def __init__(self, board: Switchboard, worker: VMWorker, make: Callable[[int], list[Any]]) -> None:
        super().__init__(board)
        self._worker = worker
        self._make = make

    def begin(self, answered: Answered) -> None:
        """Ask the VM."""
        self._answered = answered
        self._ref = self.board.request(self._worker, self._make, self._hand_out)

    def abandoned(self) -> None:
        """Want no answer any more."""
        self.board.forget(self._ref)


class Spawn(Request):
    """A process to be spawned on a host, on whichever of its workers has room. The answer is the PID.

    Given up, the process is terminated, also one that only comes to be then. With the option ``exec`` the answer is the
    result of the process; with a name that is taken it is ``{"holder": pid}``.

    Args:
        args: checked arguments. options: what the kernel's spawn knows (name, monitor, from, exec, messages, context).
    """

    def __init__(
        self, board: Switchboard, host: str, entry: str, args: list[LuaValue], options: dict[str, Any]
    ) -> None:
        super().__init__(board)
        self.host = host
        self.entry = entry
        self.worker: VMWorker | None = None
        self._args = args
        self._options = options or {"plain": True}  # an empty map would reach the kernel as a list
        self._tried: tuple[int, ...] = ()

    def begin(self, answered: Answered) -> None:
        """Find a worker and ask it.

        Raises:
            ProcessError: NotFound, Invalid or Unavailable, by the state of the host.
        """
        self._answered = answered
        worker = self.board.placing(self.host).place()
        if worker is None:
            raise ProcessError(f"host {self.host} has no worker at the moment", kind=UNAVAILABLE, retryable=True)
        self._ask(worker)

    def abandoned(self) -> None:
        """Terminate what has begun; what begins later ends at once."""
        with self._lock:
            pid = self.pid
        self._terminate(pid)

    def _ask(self, worker: VMWorker) -> None:
        self.worker = worker
        self._ref = self.board.request(
            worker,
            lambda ref: [Input.SPAWN, ref, self.entry, self._args, len(self._args), self._options],
            self._on_answer,
            self._on_started,
        )

    def _on_started(self, pid: str) -> None:
        with self._lock:
            self.pid = pid
            late = self._over
        if late:
            self._terminate(pid)

    def _on_answer(self, ok: bool, value: Any) -> None:
        if not ok and value == NO_ROOM and not self._over and self.worker is not None:
            self._tried = (*self._tried, self.worker.vm)
            try:
                worker = self.board.placing(self.host).place(self._tried)
            except ProcessError as error:
                value = error.failure()
            else:
                if worker is not None:
                    self._ask(worker)
                    return
                text = f"host {self.host} runs as many processes as it may (max_processes)"
                value = Failure(text, LIMIT_EXCEEDED)
        if not self.finish(ok, value) and ok and isinstance(value, str) and not self._options.get("exec"):
            self._terminate(value)

    def _terminate(self, pid: str) -> None:
        if pid and self.worker is not None:
            self.worker.post([Input.TERMINATE, pid])


class Call(Request):
    """A call of a function entry. Given up, the call is canceled.

    Attributes:
        patient: the caller waits however long it takes, so its thread may step the VM.

    Args:
        place: finds the worker. args: checked arguments.
    """

    def __init__(self, board: Switchboard, place: Callable[[], VMWorker], function: str, args: list[LuaValue]) -> None:
        super().__init__(board)
        self._place = place
        self._function = function
        self._args = args
        self._worker: VMWorker | None = None
        self.patient = False
        self._early: tuple[bool, Any] | None = None

    def begin(self, answered: Answered) -> None:
        """Find a worker and ask it.

        Raises:
            ProcessError: Unavailable, when the runtime stops.
        """
        with self._lock:
            self._answered = answered
            early = self._early
        if early is not None:
            answered(*early)
        elif not self._ref:
            self._worker = worker = self._place()
            self._ref = self.board.request(worker, self._record, self._hand_out)

    def now(self) -> tuple[bool, Any] | None:
        """Step an idle VM on this thread; returns the answer if that gave it, else `begin` as always.

        Raises:
            ProcessError: Unavailable, when the runtime stops.
        """
        self._worker = worker = self._place()
        if not worker.free:
            return None
        self._ref, answer = self.board.ask_now(worker, self._record, self._keep)
        return answer

    def _record(self, ref: int) -> list[Any]:
        return [Input.CALL, ref, self._function, self._args, len(self._args)]

    def _keep(self, ok: bool, value: Any) -> None:
        # the answer to a call that `now` began may come before `begin` says who wants it
        with self._lock:
            if self._answered is None:
                self._early = (ok, value)
                self._over = True
                return
        self.finish(ok, value)

    def abandoned(self) -> None:
        """Cancel the call."""
        if self._worker is not None and self.board.forget(self._ref):
            self._worker.post([Input.CANCEL_CALL, self._ref])
