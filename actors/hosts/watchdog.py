"""The watchdog: a thread that looks for VMs that are stuck in a C call, and has them replaced (design §4)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from actors.hosts.host import ProcessHost

log = logging.getLogger(__name__)


class Watchdog:
    """Looks at every VM now and then; one step that lasts longer than `limit` seconds means that it is stuck.

    Args:
        hosts: returns the hosts to watch. limit: real seconds. interval: real seconds between looks.
    """

    def __init__(self, hosts: Callable[[], Iterable[ProcessHost]], limit: float = 10.0, interval: float = 0.5) -> None:
        self._hosts = hosts
        self._limit = limit
        self._interval = interval
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> int:
        """Look once; returns how many VMs were given up."""
        given_up = 0
        now = time.monotonic()
        for host in self._hosts():
            for worker in host.workers():
                started = worker.step_started
                if started is None or now - started < self._limit or worker.abandoned:
                    continue
                seconds = now - started
                log.error(
                    "VM %d of %s is stuck for %.1f s%s: it is replaced, its thread is left behind",
                    worker.vm,
                    host.id,
                    seconds,
                    host.running_process(worker),
                    extra={"host": host.id},
                )
                host.abandon(worker, seconds)
                given_up += 1
        return given_up

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.look()
