"""Where the function calls of Python run: a host of VMs that starts with the first call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from actors.errors import UNAVAILABLE, ProcessError
from actors.hosts import ProcessHost, VMWorker

FUNCTION_HOST: Final = "node:functions"


class FunctionHost:
    """The host for calls that come from Python; calls of processes stay in their own VM. Safe from any thread.

    Args:
        launch: starts the host's actor.
    """

    def __init__(self, launch: Callable[[], ProcessHost]) -> None:
        self._launch = launch
        self._lock = threading.Lock()  # guards the start and the stop
        self._host: ProcessHost | None = None
        self._first: VMWorker | None = None  # the worker used last; taken again without a look at the others while free
        self._stopped = False

    def place(self) -> VMWorker:
        """Return the worker for a call; the first call starts a VM.

        Raises:
            ProcessError: Unavailable, when the runtime stops.
        """
        first = self._first
        if first is not None and first.free:
            return first
        host = self._host
        if host is None:
            host = self._start()
        worker = host.place()
        self._first = worker
        if worker is None:
            raise ProcessError("the runtime is stopping", kind=UNAVAILABLE)
        return worker

    def stop(self) -> None:
        """End the calls that run, and the VMs."""
        with self._lock:
            self._stopped = True
            host = self._host
        if host is not None:
            host.kill_processes()
            host.end()

    def _start(self) -> ProcessHost:
        with self._lock:
            if self._stopped:
                raise ProcessError("the runtime is stopping", kind=UNAVAILABLE)
            if self._host is None:
                host = self._launch()
                host.status = "running"
                host.post(host.begin)
                self._host = host
            return self._host
