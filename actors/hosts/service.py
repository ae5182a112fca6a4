"""The driver of a `process.service`: spawns its process, watches it, and asks it to end (spec supervision.md §4.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.errors import NOT_FOUND, UNAVAILABLE, Failure, ProcessError
from actors.hosts.endpoint import Endpoint, EndpointEvent
from actors.hosts.requests import Spawn
from actors.hosts.switchboard import Switchboard
from actors.supervision import Exited, Report, Started, StartFailed
from actors.vm.wire import Input


class ProcessDriver:
    """One life of a `process.service`.

    The watcher has a PID on ``node:control``, which the process sees as the sender of its CANCEL.

    Args:
        board: the switchboard.
        process: the id of the process entry. host: the id of its host. args: checked arguments of its method.
        identity: returns what the process runs under, as the kernel reads it; asked at the start.
    """

    def __init__(
        self,
        board: Switchboard,
        process: str,
        host: str,
        args: list[Any],
        identity: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._board = board
        self._process = process
        self._host = host
        self._args = args
        self._identity = identity
        self._watcher: Endpoint | None = None
        self._pid = ""
        self._spawn: Spawn | None = None
        self._called_off = False
        self._report: Report = lambda event: None

    def start(self, report: Report) -> None:
        """Spawn the process; it counts as started when it exists."""
        self._report = report
        try:
            identity = self._identity()
        except ProcessError as error:
            report(StartFailed(_final_unless_unavailable(error.failure())))
            return
        watcher = Endpoint(self._board, "node:control", lambda topic, sender, payloads: None, self._on_event)
        self._watcher = watcher
        options = {"monitor": watcher.pid, "from": watcher.pid}
        if identity is not None:
            options["security"] = identity
        spawn = Spawn(self._board, self._host, self._process, self._args, options)
        self._spawn = spawn
        try:
            spawn.begin(self._on_answer)
        except ProcessError as error:
            self._close()
            report(StartFailed(_final_unless_unavailable(error.failure())))

    def stop(self, reason: str) -> None:
        """Send CANCEL to the process."""
        self._called_off = True
        if self._watcher is not None:
            self._post([Input.CANCEL, self._pid, self._watcher.pid, reason, None])

    def kill(self) -> None:
        """Terminate the process."""
        self._called_off = True
        self._post([Input.TERMINATE, self._pid])

    def _post(self, record: list[Any]) -> None:
        if self._pid and self._spawn is not None and self._spawn.worker is not None:
            self._spawn.worker.post(record)

    def _on_answer(self, ok: bool, value: Any) -> None:
        if not ok:
            self._close()
            self._report(StartFailed(_final_unless_unavailable(value)))
            return
        self._pid = value
        if self._watcher is not None:
            self._watcher.watch(value)
        self._report(Started(value))
        if self._called_off:
            self._post([Input.TERMINATE, self._pid])

    def _on_event(self, event: EndpointEvent) -> None:
        if event.kind != "pid.exit":
            return
        self._close()
        error = event.result.get("error")
        failure = error.failure() if isinstance(error, ProcessError) else None
        self._report(Exited(failure, event.result.get("value")))

    def _close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()


def _final_unless_unavailable(failure: Failure) -> Failure:
    """A start that may succeed later is retried, any other error of a start is final (OP-3)."""
    retryable = failure.kind not in (NOT_FOUND,) and (failure.kind == UNAVAILABLE or failure.message == "worker lost")
    return Failure(failure.message, failure.kind, retryable, failure.details, failure.stack)
