"""The event bus of a runtime: best-effort publish and subscribe, for observation (spec lua-api.md §11)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from actors.errors import ProcessError
from actors.hosts.pid import Pid
from actors.vm.wire import Input, LuaValue, check

if TYPE_CHECKING:
    from actors.hosts.switchboard import Switchboard
    from actors.hosts.worker import VMWorker

log = logging.getLogger(__name__)

_REMEMBERED: Final = 1024
_ALTERNATIVES: Final = 64


@dataclass(frozen=True, slots=True)
class BusEvent:
    """One event.

    Attributes:
        system: who it comes from, such as ``registry``.
        kind: what happened, such as ``entry.update``.
        path: to what, such as the id of an entry.
        data: more about it; None for none, and for what only Lua can read (a table that contains itself).
    """

    system: str
    kind: str
    path: str
    data: LuaValue = None


@dataclass(frozen=True, slots=True)
class _Subscription:
    worker: VMWorker
    pid: str
    number: int
    system: str
    kind: str


class EventBus:
    """Carries events from whoever sends to whoever is subscribed. Safe from any thread; nothing in it waits.

    All events have one order, so that each subscriber gets those of one sender as they were sent. An error in a
    watcher is logged and keeps nobody else from hearing.
    """

    def __init__(self, board: Switchboard) -> None:
        self._lock = threading.Lock()  # guards the subscriptions and the order in which VMs get events
        self._subscriptions: dict[str, dict[int, _Subscription]] = {}
        self._matching: dict[tuple[str, str], list[tuple[VMWorker, list[Any]]]] = {}
        self._watchers: tuple[tuple[str, str, Callable[[BusEvent], None]], ...] = ()
        board.serve("events.subscribe", self._on_subscribe)
        board.serve("events.unsubscribe", self._on_unsubscribe)
        board.serve("events.send", self._on_send)
        board.on_departure(self._on_departure)

    def publish(self, system: str, kind: str, path: str, data: Any = None) -> None:
        """Send an event to all whose patterns it meets.

        Args:
            data: a value, or a function that makes it when somebody is interested.
        """
        watchers = [callback for wanted, kinds, callback in self._watchers if _meets(wanted, system, kinds, kind)]
        with self._lock:
            if self._targets(system, kind):
                value = _plain(system, kind, path, data() if callable(data) else data)
                self._post(system, kind, path, value, None)
        if watchers:
            _tell(watchers, BusEvent(system, kind, path, data() if callable(data) else data))

    def watch(self, system: str, kind: str, callback: Callable[[BusEvent], None]) -> Callable[[], None]:
        """Call `callback` with every event from now on that meets the patterns; the result ends that.

        It is called on threads of the runtime and must return at once.
        """
        entry = (system, kind, callback)
        self._watchers = (*self._watchers, entry)

        def remove() -> None:
            self._watchers = tuple(other for other in self._watchers if other is not entry)

        return remove

    def _targets(self, system: str, kind: str) -> list[tuple[VMWorker, list[Any]]]:
        found = self._matching.get((system, kind))
        if found is None:
            by_worker: dict[VMWorker, list[Any]] = {}
            for subscriptions in self._subscriptions.values():
                for one in subscriptions.values():
                    if _meets(one.system, system, one.kind, kind):
                        by_worker.setdefault(one.worker, []).extend((one.pid, one.number))
            if len(self._matching) >= _REMEMBERED:
                self._matching.clear()
            found = self._matching[(system, kind)] = list(by_worker.items())
        return found

    def _post(self, system: str, kind: str, path: str, data: LuaValue, blob: bytes | None) -> None:
        for worker, targets in self._targets(system, kind):
            worker.post([Input.FEED, targets, system, kind, path, data, blob])

    def _on_subscribe(self, worker: VMWorker, ref: int | None, pid: str, arguments: dict[str, Any]) -> None:
        number = arguments["number"]
        one = _Subscription(worker, pid, number, arguments["system"], arguments["kind"])
        with self._lock:
            self._subscriptions.setdefault(pid, {})[number] = one
            self._matching.clear()

    def _on_unsubscribe(self, worker: VMWorker, ref: int | None, pid: str, arguments: dict[str, Any]) -> None:
        with self._lock:
            subscriptions = self._subscriptions.get(pid, {})
            subscriptions.pop(arguments["number"], None)
            if not subscriptions:
                self._subscriptions.pop(pid, None)
            self._matching.clear()

    def _on_send(self, worker: VMWorker, ref: int | None, pid: str, arguments: dict[str, Any]) -> None:
        system, kind, path = arguments["system"], arguments["kind"], arguments["path"]
        data, blob = arguments.get("data"), arguments.get("blob")
        with self._lock:
            if self._targets(system, kind):
                self._post(system, kind, path, check(data), blob)
        watchers = [callback for wanted, kinds, callback in self._watchers if _meets(wanted, system, kinds, kind)]
        if watchers:
            _tell(watchers, BusEvent(system, kind, path, data))

    def _on_departure(self, vm: int) -> None:
        with self._lock:
            for pid in list(self._subscriptions):
                parsed = Pid.parse(pid)
                if parsed is not None and parsed.vm == vm:
                    del self._subscriptions[pid]
            self._matching.clear()


def _tell(watchers: Sequence[Callable[[BusEvent], None]], event: BusEvent) -> None:
    for callback in watchers:
        try:
            callback(event)
        except Exception:
            log.exception("a watcher of the event bus failed on %s %s", event.system, event.kind)


def _plain(system: str, kind: str, path: str, data: Any) -> LuaValue:
    try:
        return check(data)
    except ProcessError as error:
        log.warning("the event %s %s of %s goes out without its data: %s", system, kind, path, error.message)
        return None


def _meets(systems: str, system: str, kinds: str, kind: str) -> bool:
    return matches(systems, system) and matches(kinds, kind)


@lru_cache(4096)
def matches(pattern: str, text: str) -> bool:
    """Tell whether a text meets a pattern (OP-18): segments split at ``.``, ``*`` for one segment or a part of one,
    ``**`` for any number of segments, ``(a|b)`` for either. A pattern that ends in ``text*`` takes any rest, and ``*``
    alone everything.
    """
    if pattern in (text, "*", "**"):
        return True
    if "*" not in pattern and "(" not in pattern:
        return False
    return any(_fits(one, text) for one in _alternatives(pattern))


def _alternatives(pattern: str) -> list[str]:
    """Write ``x.(a|b)`` as ``x.a`` and ``x.b``; a parenthesis that is not closed means itself."""
    parts: list[list[str]] = []
    rest = pattern
    while True:
        before, opened, after = rest.partition("(")
        inside, closed, behind = after.partition(")")
        if not opened or not closed:
            parts.append([rest])
            break
        parts += [[before], inside.split("|")]
        rest = behind
    made = product(*parts)
    return ["".join(chosen) for _, chosen in zip(range(_ALTERNATIVES), made, strict=False)]


def _fits(pattern: str, text: str) -> bool:
    segments = pattern.split(".")
    last = segments[-1]
    if len(last) > 1 and last.endswith("*") and last != "**":
        segments.append("**")
    return _wild(segments, text.split("."), "**", _segment_fits)


def _segment_fits(pattern: str, segment: str) -> bool:
    if "*" not in pattern:
        return pattern == segment
    return _wild(pattern, segment, "*", lambda wanted, given: wanted == given)


def _wild(pattern: Sequence[str], items: Sequence[str], star: str, fits: Callable[[str, str], bool]) -> bool:
    """Match a sequence against one in which `star` stands for any number of items; in at most their product's time."""
    at = back = 0
    marked = -1
    for_star = 0
    while at < len(items):
        if back < len(pattern) and pattern[back] == star:
            marked, for_star = back, at
            back += 1
        elif back < len(pattern) and fits(pattern[back], items[at]):
            at += 1
            back += 1
        elif marked >= 0:
            for_star += 1
            at, back = for_star, marked + 1
        else:
            return False
    return all(rest == star for rest in pattern[back:])
