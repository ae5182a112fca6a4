"""The clocks of the runtime: real time, and virtual time for tests.

Everything that waits takes its inbox from a clock, so that under `VirtualClock` a test can let days pass without
sleeping. Nothing deeper in the runtime reads the system's time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Inbox(Protocol):
    """A queue with many writers and one reader that can wait until a deadline.

    `put` may be called from any thread and never blocks. `take` belongs to one thread. Items are delivered in the
    order in which they were put; however many wait, the reader is woken once.
    """

    def put(self, item: Any) -> None:
        """Append `item` and wake the reader."""

    def take(self, deadline: float | None = None) -> list[Any]:
        """Remove and return all items, in order; wait until there is one or until `deadline`.

        `deadline` is in the clock's monotonic seconds; None waits for ever, one that has passed does not wait.
        Returns an empty list when the deadline passed or the inbox was closed.
        """

    def wait(self, deadline: float | None = None) -> None:
        """Wait as `take` does, and leave what came where it is."""

    def empty(self) -> bool:
        """Tell whether nothing waits."""

    def close(self) -> None:
        """Stop taking part in the clock; a later `put` is kept but wakes nobody, a later `take` does not wait."""


class Clock(Protocol):
    """Where the runtime gets time from, and the inboxes that wait on it."""

    def monotonic(self) -> float:
        """Seconds that never go back, from an arbitrary start."""

    def time(self) -> float:
        """Seconds since 1970-01-01 UTC."""

    def inbox(self, *, caller: bool = False) -> Inbox:
        """Make an inbox. `caller` marks that of a thread outside the runtime, which is only busy while it waits."""


class SystemInbox:
    """An inbox on the system's monotonic clock: a deque and one lock that is used as a binary semaphore."""

    __slots__ = ("_closed", "_items", "_signal")

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._signal = threading.Lock()
        self._signal.acquire()
        self._closed = False

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._wake()

    def wait(self, deadline: float | None = None) -> None:
        items = self._items
        while not items and not self._closed:
            if deadline is None:
                self._signal.acquire()
                continue
            wait = deadline - time.monotonic()
            if wait <= 0:
                break
            self._signal.acquire(timeout=min(wait, threading.TIMEOUT_MAX))

    def take(self, deadline: float | None = None) -> list[Any]:
        items = self._items
        if not items:
            self.wait(deadline)
        taken = []
        try:
            while True:
                taken.append(items.popleft())
        except IndexError:
            return taken

    def empty(self) -> bool:
        return not self._items

    def close(self) -> None:
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        # released already: the reader is about to look anyway
        if self._signal.locked():
            try:  # noqa: SIM105 - this is on the way of every message, and `suppress` is slow
                self._signal.release()
            except RuntimeError:
                pass


class SystemClock:
    """Real time."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    def inbox(self, *, caller: bool = False) -> Inbox:
        return SystemInbox()


class VirtualInbox:
    """An inbox of a `VirtualClock`; made by its `inbox`."""

    def __init__(self, clock: VirtualClock, caller: bool) -> None:
        self._clock = clock
        self._caller = caller
        self._items: deque[Any] = deque()
        self._changed = threading.Condition(clock._lock)
        self._closed = False

    def put(self, item: Any) -> None:
        with self._clock._lock:
            self._items.append(item)
            self._clock._set_busy(self)
            self._changed.notify()

    def take(self, deadline: float | None = None) -> list[Any]:
        with self._clock._lock:
            self._until(deadline)
            taken = list(self._items)
            self._items.clear()
            return taken

    def wait(self, deadline: float | None = None) -> None:
        with self._clock._lock:
            self._until(deadline)

    def _until(self, deadline: float | None) -> None:
        clock = self._clock
        while not self._items and not self._closed and (deadline is None or clock._now < deadline):
            clock._wait(self, deadline)

    def empty(self) -> bool:
        with self._clock._lock:
            return not self._items

    def close(self) -> None:
        with self._clock._lock:
            self._closed = True
            self._clock._forget(self)
            self._changed.notify()


class VirtualClock:
    """Time that stands still until somebody waits for it, for tests.

    It jumps to the next deadline when two things hold: a thread outside the runtime waits (in a call such as
    `Runtime.exec`, a mailbox's `receive`, or `advance`), and every part of the runtime is idle with an empty inbox.
    So results do not depend on the machine's speed, and a sleep of a day takes microseconds. Work that is done
    outside of any inbox (a thread pool) is announced with `hold`.

    Args:
        start: the first value of `time()`, in Unix seconds. `monotonic()` begins at 0.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()  # guards all that follows, and the items of every inbox
        self._now = 0.0
        self._start = start
        self._actors: dict[VirtualInbox, None] = {}  # in the order of their making
        self._idle: dict[VirtualInbox, float | None] = {}  # actors and waiting callers -> their deadlines
        self._holds = 0

    def monotonic(self) -> float:
        return self._now

    def time(self) -> float:
        return self._start + self._now

    def inbox(self, *, caller: bool = False) -> Inbox:
        made = VirtualInbox(self, caller)
        if not caller:
            with self._lock:
                self._actors[made] = None
        return made

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, deadline by deadline, and return when the runtime is idle at the end of them."""
        waiter = VirtualInbox(self, caller=True)
        with self._lock:
            self._wait(waiter, self._now + seconds)

    def settle(self) -> None:
        """Return when every part of the runtime is idle, without letting time pass."""
        self.advance(0.0)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time from jumping while the body runs."""
        with self._lock:
            self._holds += 1
        try:
            yield
        finally:
            with self._lock:
                self._holds -= 1
                self._jump()

    def _set_busy(self, inbox: VirtualInbox) -> None:
        self._idle.pop(inbox, None)

    def _forget(self, inbox: VirtualInbox) -> None:
        self._actors.pop(inbox, None)
        self._idle.pop(inbox, None)
        self._jump()

    def _wait(self, inbox: VirtualInbox, deadline: float | None) -> None:
        self._idle[inbox] = deadline
        try:
            self._jump()
            while inbox in self._idle and not inbox._closed:
                inbox._changed.wait()
        finally:
            self._idle.pop(inbox, None)

    def _jump(self) -> None:
        # a caller that has been woken is no longer in _idle, even if its thread did not run yet: time stays for it
        if self._holds or any(actor not in self._idle for actor in self._actors):
            return
        callers = [inbox for inbox in self._idle if inbox._caller]
        deadlines = [deadline for deadline in self._idle.values() if deadline is not None]
        if not callers or not deadlines:
            return
        self._now = max(self._now, min(deadlines))
        # one actor at a time, the eldest first, so that what happens at one instant has one order; callers come last
        actors = (actor for actor in self._actors if self._due(actor))
        first = next(actors, None)
        for inbox in [first] if first is not None else [caller for caller in callers if self._due(caller)]:
            del self._idle[inbox]
            inbox._changed.notify()

    def _due(self, inbox: VirtualInbox) -> bool:
        deadline = self._idle[inbox]
        return deadline is not None and deadline <= self._now
