"""The base of every actor of the runtime: a pykka actor with a clock, timers and an inbox that is taken in batches.

The semantics are pykka's (one thread, one message at a time, `tell`, `ask`, proxies), except that an actor here never
stops another one: it is not entered in pykka's process-wide registry, and a failure ends at most the actor it is in.
"""

from __future__ import annotations

import heapq
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import pykka
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from actors.clock import Clock, Inbox, SystemClock

logger = logging.getLogger(__name__)

T = TypeVar("T")
_numbers = count(1)
_thread_local = threading.local()  # .actor: the actor whose thread this is


class Timer:
    """A callback that an actor runs at a given time; made by `Actor.call_at` and `Actor.call_later`.

    Attributes:
        when: the time it is due, in the clock's monotonic seconds.
    """

    __slots__ = ("_callback", "_order", "_queue", "when")

    def __init__(self, queue: _Timers, when: float, order: int, callback: Callable[[], object]) -> None:
        self.when = when
        self._order = order
        self._queue = queue
        self._callback: Callable[[], object] | None = callback

    @property
    def pending(self) -> bool:
        """Tell whether it will still fire."""
        return self._callback is not None

    def cancel(self) -> None:
        """Make sure that it does not fire; without effect after it has. On the actor's own thread only."""
        if self._callback is not None:
            self._callback = None
            self._queue.cancelled()

    def _claim(self) -> Callable[[], object] | None:
        callback, self._callback = self._callback, None
        return callback

    def __lt__(self, other: Timer) -> bool:
        return (self.when, self._order) < (other.when, other._order)


class _Timers:
    """A heap of timers; those of one time fire in the order in which they were made."""

    __slots__ = ("_cancelled", "_heap", "_made")

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._cancelled = 0
        self._made = 0

    def add(self, when: float, callback: Callable[[], object]) -> Timer:
        self._made += 1
        timer = Timer(self, when, self._made, callback)
        heapq.heappush(self._heap, timer)
        return timer

    def next_deadline(self) -> float | None:
        heap = self._heap
        while heap and not heap[0].pending:
            heapq.heappop(heap)
            self._cancelled -= 1
        return heap[0].when if heap else None

    def due(self, now: float) -> list[Timer]:
        """Take out all that are due, in their order; one of them may still be cancelled by an earlier one."""
        heap, taken = self._heap, []
        while heap and heap[0].when <= now:
            timer = heapq.heappop(heap)
            if timer.pending:
                taken.append(timer)
            else:
                self._cancelled -= 1
        return taken

    def cancelled(self) -> None:
        # long timers that are mostly cancelled (time-outs) would otherwise stay until they are due
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [timer for timer in self._heap if timer.pending]
            heapq.heapify(self._heap)
            self._cancelled = 0


class _PykkaInbox:
    """An inbox of the clock with the methods that pykka asks for; what comes after its end is refused at once."""

    __slots__ = ("_closed", "_inbox", "_refuse", "_waiting")

    def __init__(self, inbox: Inbox, refuse: Callable[[Any], None]) -> None:
        self._inbox = inbox
        self._refuse = refuse
        self._waiting: deque[Any] = deque()
        self._closed = False

    def put(self, item: Any, /) -> None:
        self._inbox.put(item)
        if self._closed:  # whoever sees it closed after the put, here or in `close`, gives the item its refusal
            self._drain()

    def get(self) -> Any:
        while not self._waiting:
            self._waiting.extend(self._inbox.take())
        return self._waiting.popleft()

    def empty(self) -> bool:
        return not self._waiting and self._inbox.empty()

    def close(self) -> None:
        self._closed = True
        self._drain()
        self._inbox.close()

    def _drain(self) -> None:
        for item in self._inbox.take(float("-inf")):
            self._refuse(item)


class Actor(pykka.ThreadingActor):
    """A pykka actor on a `Clock`.

    Beside pykka's messages its inbox takes any object from any thread (`post`): a callable is called on the actor's
    thread, anything else goes to `on_event`. Items are handled in the order in which they were put. Timers fire on the
    actor's thread too, after the items that came before their time; the inbox wait ends at the next deadline.

    Its thread is no daemon: whoever starts an actor stops it (`stop`) and waits for its end (`join`). A class whose
    threads may have to be left behind sets `use_daemon_thread`.

    Args:
        clock: where time and the inbox come from.
        name: the name of the thread; by default the class and a number.
    """

    def __init__(self, *, clock: Clock | None = None, name: str = "") -> None:
        super().__init__()
        self.clock: Clock = clock if clock is not None else SystemClock()
        self.name = name or f"{type(self).__name__}-{next(_numbers)}"
        self.inbox = self.clock.inbox()
        self.actor_inbox = _PykkaInbox(self.inbox, self._refuse)
        self._actor_ref = pykka.ActorRef(self)  # again: the ref keeps the inbox
        self._timers = _Timers()
        self._thread: threading.Thread | None = None
        self._launched: list[Actor] = []  # by this actor's thread

    @classmethod
    def launch(cls, *args: Any, **kwargs: Any) -> Self:
        """Make an actor, start its thread and return the actor itself.

        Of it other threads use only what is said to be safe from any thread.
        """
        actor = cls(*args, **kwargs)
        parent: Actor | None = getattr(_thread_local, "actor", None)
        if parent is not None and not cls.use_daemon_thread:
            parent._launched = [other for other in parent._launched if other._alive()]
            parent._launched.append(actor)
        actor._start_actor_loop()
        return actor

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> pykka.ActorRef[Self]:
        """Make an actor, start its thread and return pykka's reference; it is not entered in `ActorRegistry`."""
        return cls.launch(*args, **kwargs).actor_ref

    def post(self, item: object) -> None:
        """Put an item into the inbox and return at once; from any thread.

        After the actor's end it goes to `on_refused`, on the thread of the caller.
        """
        self.actor_inbox.put(item)  # type: ignore[arg-type]

    def stop(self) -> None:
        """Ask the actor to stop when it has handled what waits already; from any thread, and as often as you like."""
        if not self.actor_stopped.is_set():
            self.post(Envelope(_ActorStop()))

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the actor's thread has ended, and those of all actors that it launched; tell whether they have.

        It stops none of them, and does not wait for daemons among those. `timeout` is in real seconds, whatever the
        clock. Not from an actor's thread.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        if self._thread is not None:
            self._thread.join(timeout)
        for actor in self._launched:
            actor.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not self._alive()

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Have `callback` called at `when` (the clock's monotonic seconds); on the actor's own thread only."""
        return self._timers.add(when, callback)

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Have `callback` called in `delay` seconds; on the actor's own thread only."""
        return self._timers.add(self.clock.monotonic() + delay, callback)

    @property
    def deadline(self) -> float | None:
        """When the next timer is due; None without one. On the actor's own thread only."""
        return self._timers.next_deadline()

    def on_batch(self, items: list[Any]) -> None:
        """Handle all items that waited; a subclass may take them together and give `handle` what it doesn't know."""
        for item in items:
            self.handle(item)

    def on_event(self, event: Any) -> None:
        """Handle a posted item that is neither a callable nor a message of pykka; the base warns."""
        logger.warning("%s: unexpected event %r", self.name, event, extra={"actor": self.name})

    def on_refused(self, item: Any) -> None:
        """Hear of a posted item that came too late to be handled; on any thread. The base drops it."""

    def on_error(self, error: Exception) -> None:
        """Decide about an error that a posted item, a timer or a `tell` raised; the base ends this actor.

        It is logged with its traceback, `on_failure` is called, and what still waits is refused.
        """
        self._fail(error)

    def handle(self, item: Any) -> None:
        """Handle one item of the inbox; after the actor's end, refuse it."""
        if self.actor_stopped.is_set():
            self._refuse(item)
            return
        if isinstance(item, Envelope):
            self._handle_envelope(item)
            return
        try:
            if callable(item):
                item()
            else:
                self.on_event(item)
        except Exception as error:
            self.on_error(error)

    def _handle_envelope(self, envelope: Envelope[Any]) -> None:
        try:
            response = self._handle_receive(envelope.message)
        except Exception as error:
            if envelope.reply_to is None:
                self.on_error(error)
            else:
                envelope.reply_to.set_exception()
        else:
            if envelope.reply_to is not None:
                envelope.reply_to.set(response)

    def _refuse(self, item: Any) -> None:
        if not isinstance(item, Envelope):
            self.on_refused(item)
        elif item.reply_to is not None:
            if isinstance(item.message, _ActorStop):
                item.reply_to.set(None)
            else:
                dead = pykka.ActorDeadError(f"{self.name} stopped before it handled the message")
                item.reply_to.set_exception((type(dead), dead, None))

    def _fail(self, error: BaseException) -> None:
        self._handle_failure(type(error), error, error.__traceback__)
        try:
            self.on_failure(type(error), error, error.__traceback__)
        except Exception:
            logger.exception("%s: on_failure failed", self.name, extra={"actor": self.name})

    def _alive(self) -> bool:
        return (self._thread is None or self._thread.is_alive()) or any(actor._alive() for actor in self._launched)

    def _start_actor_loop(self) -> None:
        self._thread = threading.Thread(target=self._actor_loop, name=self.name, daemon=self.use_daemon_thread)
        self._thread.start()

    def _actor_loop(self) -> None:
        _thread_local.actor = self
        try:
            self.on_start()
            self._actor_loop_running()
        except BaseException as error:
            self._fail(error)  # where pykka would stop every actor of the program
        finally:
            self.actor_stopped.set()
            self.actor_inbox.close()  # type: ignore[attr-defined]

    def _actor_loop_running(self) -> None:
        stopped, take, timers, now = self.actor_stopped, self.inbox.take, self._timers, self.clock.monotonic
        while not stopped.is_set():
            items = take(timers.next_deadline())
            if items:
                try:
                    self.on_batch(items)
                except Exception as error:
                    self.on_error(error)
            # only those due now: one that keeps setting itself to now must not keep the items waiting
            for timer in timers.due(now()):
                callback = None if stopped.is_set() else timer._claim()
                if callback is not None:
                    try:
                        callback()
                    except Exception as error:
                        self.on_error(error)

    def _stop(self) -> None:
        self.actor_stopped.set()
        try:
            self.on_stop()
        except Exception:
            self._handle_failure(*sys.exc_info())

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        logger.error(
            "%s ended by an error: %r",
            self.name,
            exception_value,
            exc_info=(exception_type, exception_value, traceback),  # type: ignore[arg-type]
            extra={"actor": self.name},
        )
        self.actor_stopped.set()


def wait_for(clock: Clock, begin: Callable[[Callable[[T], None]], object], timeout: float | None = None) -> T:
    """Call `begin(done)` and wait until `done(value)` is called, from any thread; return the value.

    For threads outside of the runtime only: an actor that waited here would hear nothing else meanwhile.

    Args:
        timeout: how long to wait, in seconds of `clock`; None for ever.

    Raises:
        TimeoutError: the time was over first; what `begin` began goes on.
    """
    box = clock.inbox(caller=True)
    try:
        begin(box.put)
        values = box.take(None if timeout is None else clock.monotonic() + timeout)
    finally:
        box.close()
    if not values:
        raise TimeoutError(f"no answer within {timeout} s")
    value: T = values[0]
    return value
