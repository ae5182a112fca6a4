"""The event loop of async Python functions, on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class LoopThread:
    """Runs coroutines on one event loop, whose thread starts with the first of them. Safe from any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()  # guards the start and the stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def start(self, make: Callable[[], Coroutine[Any, Any, None]], began: Callable[[asyncio.Task[None]], None]) -> bool:
        """Run the coroutine that `make` returns; `began` gets its task, on the loop's thread. False after `stop`."""

        def begin() -> None:
            began(loop.create_task(make()))

        with self._lock:
            if self._stopped:
                return False
            loop = self._loop or self._launch()
            loop.call_soon_threadsafe(begin)
        return True

    def call(self, function: Callable[[], object]) -> None:
        """Call `function` on the loop's thread, after what was started before."""
        with self._lock:
            if self._loop is not None and not self._stopped:
                self._loop.call_soon_threadsafe(function)

    def stop(self, timeout: float) -> bool:
        """Cancel what runs and end the thread; False when it still works after `timeout` seconds."""
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return True
        if thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout)
        return not thread.is_alive()

    def _launch(self) -> asyncio.AbstractEventLoop:
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self._run(loop), name=self._name, daemon=True)
        self._thread.start()
        return loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
