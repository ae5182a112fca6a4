"""Standard input, read on a thread of its own and only as far as somebody asks."""

from __future__ import annotations

import contextlib
import io
import os
import queue
import select
import threading
from collections.abc import Callable
from typing import Any, Final

from actors.errors import UNAVAILABLE, Failure

Answer = Callable[[bool, Any], None]
"""Called with (True, bytes) or (False, Failure), on the reader's thread."""

_CHUNK: Final = 65536


class InputReader:
    """Serves reads from one stream, first come, first served. Safe from any thread.

    The thread starts with the first read. A stream with a file descriptor is waited for in a way that `close` can end;
    any other one is simply read from, and its thread may outlive `close` in a read that does not return.

    Args:
        stream: text or binary; asked for at the first read.
    """

    def __init__(self, stream: Callable[[], Any]) -> None:
        self._stream = stream
        self._wanted: queue.SimpleQueue[tuple[int, Answer] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # guards the start and the end of the thread
        self._thread: threading.Thread | None = None
        self._closed = False
        self._buffer = bytearray()
        self._ended = False
        self._fd: int | None = None
        self._wake: tuple[int, int] | None = None

    def read(self, size: int, answer: Answer) -> None:
        """Ask for at most `size` bytes as soon as there are any, or for a line without its newline if `size` is 0.

        The end of input is answered with a failure ``EOF`` of kind Unavailable.
        """
        with self._lock:
            if self._closed:
                refused = True
            else:
                refused = False
                self._wanted.put((size, answer))
                if self._thread is None:
                    self._start()
        if refused:
            answer(False, Failure("the terminal is closed", UNAVAILABLE, False))

    def close(self) -> None:
        """Serve nothing more, and end the thread. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
            if self._wake is not None:
                os.write(self._wake[1], b"x")
        self._wanted.put(None)
        if thread is not None and self._wake is not None:
            thread.join()
            for end in self._wake:
                os.close(end)

    def _start(self) -> None:
        stream = self._stream()
        with contextlib.suppress(AttributeError, OSError, ValueError, io.UnsupportedOperation):
            self._fd = stream.fileno()
            self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, args=(stream,), name="tutela-stdin", daemon=True)
        self._thread.start()

    def _run(self, stream: Any) -> None:
        while not self._closed:
            wanted = self._wanted.get()
            if wanted is None:
                return
            size, answer = wanted
            found = self._take(size)
            while found is None and not self._ended and not self._closed:
                self._fill(stream)
                found = self._take(size)
            if self._closed:
                return
            if found is None:
                answer(False, Failure("EOF", UNAVAILABLE, False))
            else:
                answer(True, found)

    def _take(self, size: int) -> bytes | None:
        """Return what a read gets from what has come already; None when that is not enough."""
        if size:
            if not self._buffer:
                return None
            taken = bytes(self._buffer[:size])
            del self._buffer[:size]
            return taken
        end = self._buffer.find(b"\n")
        if end < 0:
            if not (self._ended and self._buffer):
                return None
            end = len(self._buffer)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def _fill(self, stream: Any) -> None:
        try:
            if self._fd is None or self._wake is None:
                data = stream.readline()
            else:
                ready, _, _ = select.select([self._fd, self._wake[0]], [], [])
                if self._fd not in ready:
                    return
                data = os.read(self._fd, _CHUNK)
        except (OSError, ValueError, AttributeError):  # closed, or none at all: the same as its end
            data = b""
        if not data:
            self._ended = True
        self._buffer += data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
