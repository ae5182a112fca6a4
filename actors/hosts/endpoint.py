"""What of Python's has a PID and receives: the base of mailboxes and of the supervisor's watchers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.errors import Failure, ProcessError
from actors.hosts.switchboard import Switchboard
from actors.vm.wire import Input


@dataclass(frozen=True, slots=True)
class EndpointEvent:
    """An event of a process that was monitored (spec processes.md §6).

    Attributes:
        kind: ``pid.exit``, or ``pid.cancel`` for a request to this mailbox.
        sender: the PID of the ended process.
        at: Unix seconds.
        reason: of a cancel.
        result: ``{"value": v}`` or ``{"error": ProcessError}``; empty when main returned nothing.
    """

    kind: str
    sender: str
    at: float
    reason: str | None
    result: dict[str, Any]


class Endpoint:
    """A PID of the Python program, and what is monitored from it. Safe from any thread.

    Args:
        board: the switchboard.
        host: ``node:python`` or ``node:control``.
        on_message: called with topic, sender and payloads. on_event: called with every event. Both are called on the
            threads of VM workers and must return at once.
    """

    def __init__(
        self,
        board: Switchboard,
        host: str,
        on_message: Callable[[str, str | None, list[Any]], None],
        on_event: Callable[[EndpointEvent], None],
    ) -> None:
        self._board = board
        self._on_message = on_message
        self._on_event = on_event
        self._lock = threading.Lock()  # guards the set of monitored processes
        self._watched: set[str] = set()
        self.pid = board.enter(self, host)

    def watch(self, pid: str) -> bool:
        """Note that this endpoint monitors a process; done before the VM is asked, so that no end is missed.

        False when it does already.
        """
        with self._lock:
            if pid in self._watched:
                return False
            self._watched.add(pid)
            return True

    def unwatch(self, pid: str) -> bool:
        """Forget a monitored process; tell whether it was."""
        with self._lock:
            known = pid in self._watched
            self._watched.discard(pid)
            return known

    def deliver(self, topic: str, sender: str | None, payloads: list[Any]) -> None:
        """Receive a message."""
        self._on_message(topic, sender, payloads)

    def event(
        self,
        kind: str,
        sender: str,
        at: float,
        reason: str | None = None,
        deadline: str | None = None,
        value: Any = None,
        error: Failure | None = None,
    ) -> None:
        """Receive an event of a kernel."""
        self.unwatch(sender)
        result: dict[str, Any] = {}
        if error is not None:
            result = {"error": ProcessError.of(error, sender)}
        elif value is not None:
            result = {"value": value}
        self._on_event(EndpointEvent(kind, sender, at, reason, result))

    def lost(self, gone: Callable[[str], bool], failure: Failure) -> None:
        """Hear that a VM was given up: the monitored processes for which `gone` is true ended."""
        with self._lock:
            lost = sorted(pid for pid in self._watched if gone(pid))
        for pid in lost:
            self.event("pid.exit", pid, self._board.clock.time(), error=failure)

    def close(self) -> None:
        """End the PID; what was monitored is not any more."""
        self._board.remove(self.pid)
        with self._lock:
            watched, self._watched = self._watched, set()
        for pid in watched:
            try:
                text, parsed = self._board.resolve(pid)
                self._board.worker_of(parsed).post([Input.UNMONITOR, self.pid, text])
            except ProcessError:
                continue
