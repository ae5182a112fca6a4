"""A bounded set of threads for plain Python functions."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Threads:
    """At most `most` threads, each made when work comes and all others are busy; they live until `stop`.

    They are daemons: a function that never comes back must not keep the program from ending.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._changed = threading.Condition()  # guards what follows
        self._work: deque[Callable[[], None]] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False

    def submit(self, work: Callable[[], None]) -> bool:
        """Have `work` done, in order, by the first thread that is free; it must not raise. False after `stop`."""
        with self._changed:
            if self._stopped:
                return False
            self._work.append(work)
            if self._idle >= len(self._work):
                self._changed.notify()
            elif len(self._threads) < self._most:
                number = len(self._threads) + 1
                thread = threading.Thread(target=self._run, name=f"{self._name}#{number}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return True

    def stop(self) -> None:
        """Take no more work; what was submitted is still done."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self, timeout: float) -> bool:
        """Wait until all threads have ended after `stop`; False when one still works after `timeout` seconds."""
        for thread in self._threads:
            thread.join(timeout)
            if thread.is_alive():
                return False
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._work and not self._stopped:
                    self._changed.wait()
                self._idle -= 1
                if not self._work:
                    return
                work = self._work.popleft()
            work()
            del work  # nothing of a call may live on while the thread waits
