"""That a running app wants to end: asked for by `system.exit`, or by the end of a terminal's process."""

from __future__ import annotations

import threading
from collections.abc import Callable

from actors.terminal.outcome import exit_code


class Ending:
    """The exit code that the app asked for. The first request counts. Safe from any thread.

    Args:
        act: called once, on a thread of its own, when the app asks to end.
    """

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._lock = threading.Lock()  # guards what follows; nobody is called while it is held
        self._code: int | None = None
        self._callbacks: list[Callable[[int], object]] = []
        self._thread: threading.Thread | None = None
        self._asked = threading.Event()

    @property
    def code(self) -> int | None:
        """The exit code; None while nobody has asked."""
        return self._code

    def request(self, code: float) -> None:
        """Ask that the program ends with `code`, brought into the range of exit codes."""
        with self._lock:
            if self._code is not None:
                return
            whole = self._code = exit_code(code)
            callbacks = self._callbacks
            thread = self._thread = threading.Thread(target=self._act, name="tutela-exit", daemon=True)
        self._asked.set()
        for callback in callbacks:
            callback(whole)
        thread.start()

    def watch(self, callback: Callable[[int], object]) -> None:
        """Call `callback` with the code once somebody asks; at once, if that has been."""
        with self._lock:
            if self._code is None:
                self._callbacks.append(callback)
                return
            code = self._code
        callback(code)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until somebody asks, and return the code; None when `timeout` real seconds have passed."""
        self._asked.wait(timeout)
        return self._code

    def join(self) -> None:
        """Wait until the act is over, unless this is its own thread."""
        with self._lock:
            thread = self._thread
        if thread is not None and thread.ident is not None and thread is not threading.current_thread():
            thread.join()
