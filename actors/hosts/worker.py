"""A VM worker: an actor whose thread steps one Lua VM."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

from actors.actor import Actor
from actors.clock import Clock
from actors.hosts.switchboard import Switchboard
from actors.vm.luavm import LuaVM, VMSettings
from actors.vm.memory import Counters, VMMemory
from actors.vm.wire import Output

log = logging.getLogger(__name__)

BUDGET: Final = 300_000
"""Reductions of one step: some milliseconds, after which what leaves the VM is routed and what came is taken in."""

_NOW: Final = float("-inf")


class VMWorker(Actor):
    """Owns one VM: takes what was posted for it in batches, steps it, and routes what it produced.

    Records (lists) go to the VM, in the order in which they were posted; anything else is an actor's usual business.
    Its thread is a daemon, because a VM that is stuck in a C call is left behind.

    Args:
        settings: makes the settings of the VM, given its number and memory.
        door: answers the kernel's synchronous calls.
        lost: called once, on this thread, when the VM cannot go on (an error in the kernel, no memory).
    """

    use_daemon_thread: ClassVar[bool] = True

    def __init__(
        self,
        board: Switchboard,
        host_id: str,
        settings: Callable[[int, VMMemory], VMSettings],
        door: Callable[..., Any],
        lost: Callable[[VMWorker, str], None],
        *,
        clock: Clock,
        name: str,
    ) -> None:
        super().__init__(clock=clock, name=name)
        self.vm = 0
        self.host_id = host_id
        self.memory = VMMemory()
        self.step_started: float | None = None  # real monotonic seconds, read by the watchdog
        self.abandoned = False
        self.draining: Callable[[], None] | None = None  # called when no process is left
        self.surplus = False  # takes no new process and ends with its last
        self.spawns_queued = 0
        self._board = board
        self._settings = settings
        self._door = door
        self._lost = lost
        self._stepping = threading.Lock()  # held by whoever steps the VM, while it does and routes what came out
        self._machine: LuaVM | None = None
        self._busy = False
        self._deadline: float | None = None
        board.join(self, self.memory)

    def counters(self) -> Counters:
        """Return the counters of the VM; from any thread, also while it is stuck."""
        return self.memory.counters()

    @property
    def free(self) -> bool:
        """Tell whether nobody steps the VM and no process of it is ready, as far as one sees without waiting."""
        return self._machine is not None and not self._busy and not self._stepping.locked()

    def lend(self, ref: int, record: list[Any], unanswered: Callable[[], None]) -> tuple[bool, Any] | None:
        """Step the VM on the calling thread, with one record, if nobody steps it and nothing waits for it.

        This saves two changes of threads, which take longer than a short function. The caller is held as long as one
        step lasts, milliseconds unless a C call is stuck.

        Args:
            ref: the number of the request in the record. unanswered: called when the step did not answer it, before any
                other step can.

        Returns:
            The answer, if the step gave it. Without a call of `unanswered` None says that the VM was not free, and
            nothing was done: post the record.
        """
        stepping = self._stepping
        if not stepping.acquire(blocking=False):
            return None
        try:
            if (
                self._machine is None
                or self._busy
                or not self.inbox.empty()
                or self.abandoned
                or self.actor_stopped.is_set()
            ):
                return None
            clock = self.clock
            before = self._deadline
            self.step_started = time.monotonic()
            # no name here may keep the VM: Lua objects are freed on the thread that made them
            outputs, self._deadline, self._busy = self._machine.step([record], clock.monotonic(), clock.time(), BUDGET)
            self.step_started = None
            self.spawns_queued = 0
            answer = None
            for index, output in enumerate(outputs):
                if output[1] == ref and output[0] == Output.REPLY and output[2] is not None:
                    answer = (bool(output[2]), output[3])
                    del outputs[index]
                    break
            if answer is None:
                unanswered()
            if outputs:
                self._board.route(self, outputs)
            wake = self._busy or self.draining is not None or (self._deadline != before and self._deadline is not None)
        except BaseException as error:
            # what the VM gave may be half carried out (a Ctrl-C between two lines is enough): it cannot be trusted
            self.abandoned = True
            self._lost(self, f"interrupted: {error!r}")
            self.stop()
            raise
        finally:
            stepping.release()
        if wake:
            self.post(None)  # its own thread goes on with it, or has a new deadline to wait for
        return answer

    def on_event(self, event: Any) -> None:
        """Ignore what comes after the VM is gone."""

    def _actor_loop_running(self) -> None:
        try:
            self._run()
        except Exception as error:
            if self.abandoned:
                return
            reason = "not enough memory" if type(error).__name__ == "LuaMemoryError" else f"{error}"
            log.error(
                "VM %d of %s is lost: %s", self.vm, self.host_id, reason, exc_info=error, extra={"host": self.host_id}
            )
            self._lost(self, reason)
        finally:
            self._board.gone(self.vm, f"host {self.host_id} has stopped")

    def _call_door(self, name: bytes, *args: bytes) -> Any:
        if self.abandoned:  # others believe it dead: it must not change anything any more
            return None, b"Unavailable", b"worker lost"
        return self._door(name, *args)

    def _run(self) -> None:
        vm = LuaVM(self._settings(self.vm, self.memory), self._call_door)
        self._machine = vm
        try:
            self._serve(vm)
        finally:
            with self._stepping:
                self._machine = None

    def _serve(self, vm: LuaVM) -> None:
        stopped, take, clock, route = self.actor_stopped, self.inbox.take, self.clock, self._board.route
        while not stopped.is_set():
            if not self._busy:
                self.inbox.wait(self._deadline)
            with self._stepping:
                items = take(_NOW)
                records = items
                for item in items:
                    if type(item) is not list:
                        records = [record for record in items if type(record) is list]
                        for other in items:
                            if type(other) is not list:
                                self.handle(other)
                        break
                self.step_started = time.monotonic()
                outputs, self._deadline, self._busy = vm.step(records, clock.monotonic(), clock.time(), BUDGET)
                self.step_started = None
                if self.abandoned:
                    return
                if records:
                    self.spawns_queued = 0
                if outputs:
                    route(self, outputs)
            if self.draining is not None and self.memory.counters().processes == 0:
                drained, self.draining = self.draining, None
                drained()
