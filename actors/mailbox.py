"""The mailbox of a Python program: a PID of its own, messages and events in."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from actors.clock import Clock
from actors.errors import ALREADY_EXISTS, ProcessError
from actors.hosts import Endpoint, EndpointEvent, Question, Switchboard
from actors.vm.wire import Input, LuaValue
from actors.waiting import awaited, wait
from actors.waiting import wake as wake_loop

T = TypeVar("T")


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a mailbox received.

    Attributes:
        topic: its topic. sender: the sender's PID.
        payload: the value sent; None for none, a list when several were sent.
    """

    topic: str
    sender: str | None
    payload: LuaValue


class Waiting(Generic[T]):
    """A queue that threads and coroutines wait on; first come, first served within each of the two."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards the items and those who wait
        self._items: deque[T] = deque()
        self._waiters: deque[Callable[[], bool]] = deque()

    def put(self, item: T) -> None:
        """Add an item; from any thread."""
        with self._lock:
            self._items.append(item)
        self._wake_one()

    def receive(self, timeout: float | None = None) -> T:
        """Return the next item; wait for it.

        Args:
            timeout: seconds, None for ever, 0 not to wait.

        Raises:
            TimeoutError: nothing came in time.
        """
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        with self._lock:
            if self._items:
                return self._items.popleft()
        box = self._clock.inbox(caller=True)

        def wake() -> bool:
            box.put(None)
            return True

        try:
            while True:
                with self._lock:
                    if self._items:
                        return self._items.popleft()
                    self._waiters.append(wake)
                if not box.take(deadline):
                    with self._lock:
                        if self._items:
                            return self._items.popleft()
                    raise TimeoutError(f"nothing came within {timeout} s")
        finally:
            self._forget(wake)
            box.close()

    async def areceive(self, timeout: float | None = None) -> T:  # noqa: ASYNC109
        """As `receive`, without blocking the event loop; the timeout is in real seconds."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._items:
                return self._items.popleft()
        woken: asyncio.Future[None]

        def wake() -> bool:
            return wake_loop(loop, lambda mine=woken: _settle(mine))

        try:
            async with asyncio.timeout(timeout):
                while True:
                    with self._lock:
                        if self._items:
                            return self._items.popleft()
                        woken = loop.create_future()
                        self._waiters.append(wake)
                    await woken
        except TimeoutError:
            raise TimeoutError(f"nothing came within {timeout} s") from None
        finally:
            self._forget(wake)

    def _forget(self, wake: Callable[[], bool]) -> None:
        """Take one who waits no more out; a wake that was meant for it goes to the next."""
        with self._lock:
            if wake in self._waiters:
                self._waiters.remove(wake)
                return
            if not self._items:
                return
        self._wake_one()

    def _wake_one(self) -> None:
        while True:
            with self._lock:
                wake = self._waiters.popleft() if self._waiters else None
            if wake is None or wake():
                return

    def __len__(self) -> int:
        return len(self._items)


class Mailbox:
    """A PID of the Python program. Made by `Runtime.mailbox`; safe from any thread.

    Messages of one sender arrive in their order. They wait here until they are received, without a bound.

    Attributes:
        pid: its PID, on the host ``node:python``; processes send to it and see it as the sender.
        events: a queue of the events of processes that this mailbox monitors, with the same `receive`: `.kind`
            (``"pid.exit"``), `.sender`, `.at`, `.reason`, `.result` (``{"value": v}`` or ``{"error": ProcessError}``).
    """

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._messages: Waiting[Message] = Waiting(board.clock)
        self.events: Waiting[EndpointEvent] = Waiting(board.clock)
        self._endpoint = Endpoint(board, "node:python", self._on_message, self.events.put)
        self.pid = self._endpoint.pid

    def receive(self, timeout: float | None = None) -> Message:
        """Return the next message; wait for it, at most `timeout` seconds.

        Raises:
            TimeoutError: nothing came in time.
        """
        return self._messages.receive(timeout)

    async def areceive(self, timeout: float | None = None) -> Message:  # noqa: ASYNC109
        """As `receive`, without blocking the event loop."""
        return await self._messages.areceive(timeout)

    def monitor(self, target: str) -> None:
        """Have the end of a process (PID or name) told to `events`. Waits for its VM's answer.

        Raises:
            ProcessError: NotFound when it does not live; AlreadyExists when this mailbox monitors it already; Invalid
                for a mailbox of the Python program.
        """
        text, question = self._monitor(target)
        try:
            wait(self._board.clock, question)
        except BaseException:
            self._endpoint.unwatch(text)
            raise

    async def amonitor(self, target: str) -> None:
        """As `monitor`, without blocking the event loop."""
        text, question = self._monitor(target)
        try:
            await awaited(self._board.clock, question)
        except BaseException:
            self._endpoint.unwatch(text)
            raise

    def _monitor(self, target: str) -> tuple[str, Question]:
        text, pid = self._board.resolve(target)
        worker = self._board.worker_of(pid, "monitored")
        if not self._endpoint.watch(text):
            raise ProcessError(f"already monitoring {text}", kind=ALREADY_EXISTS, pid=text)
        return text, Question(self._board, worker, lambda ref: [Input.MONITOR, ref, self.pid, text])

    def unmonitor(self, target: str) -> None:
        """Stop monitoring; an event that waits already stays."""
        try:
            text, pid = self._board.resolve(target)
        except ProcessError:
            return
        if self._endpoint.unwatch(text):
            self._board.worker_of(pid).post([Input.UNMONITOR, self.pid, text])

    def close(self) -> None:
        """End the PID: sends to it give NotFound from now on."""
        self._endpoint.close()

    def _on_message(self, topic: str, sender: str | None, payloads: list[Any]) -> None:
        payload = payloads if len(payloads) > 1 else (payloads[0] if payloads else None)
        self._messages.put(Message(topic, sender, payload))

    def __repr__(self) -> str:
        return f"<Mailbox {self.pid}>"
