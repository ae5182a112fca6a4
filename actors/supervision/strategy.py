"""The decisions of a supervision tree (shared spec `supervision.md` §9): which child is started and stopped when.

The meaning is that of OTP's `supervisor`. `Tree` waits for nothing and starts nothing: each call tells it what happened
and returns what is to be done, in order. It has one alarm, the moment at which `tick` is to be called.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TypeAlias

from actors.errors import CANCELED, LIMIT_EXCEEDED, Failure
from actors.supervision.service import duration_text


class Strategy(StrEnum):
    """Who is restarted with a child."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class Restart(StrEnum):
    """After which ends a child is restarted."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class ChildPhase(Enum):
    """Where a child is, as its tree sees it."""

    DOWN = auto()
    WAITING = auto()  # for its restart
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()


@dataclass(frozen=True, slots=True)
class StartChild:
    """Start this child; the answer is `child_started` or `child_down`."""

    id: str


@dataclass(frozen=True, slots=True)
class StopChild:
    """Stop this child, killing it if need be; the answer is `child_down`."""

    id: str


@dataclass(frozen=True, slots=True)
class KillChild:
    """Kill this child; the answer is `child_down`."""

    id: str


@dataclass(frozen=True, slots=True)
class ForgetChild:
    """This child is down and no longer belongs to the tree."""

    id: str


@dataclass(frozen=True, slots=True)
class Restarting:
    """A restart was decided, for this child and by the strategy for others; in so many seconds."""

    id: str
    delay: float


@dataclass(frozen=True, slots=True)
class TreeStarted:
    """Every child runs."""


@dataclass(frozen=True, slots=True)
class TreeEnded:
    """Every child is down. `failure` is None after a stop; `started` tells whether it had got to run before."""

    failure: Failure | None
    started: bool


TreeAction: TypeAlias = StartChild | StopChild | KillChild | ForgetChild | Restarting | TreeStarted | TreeEnded


class Mode(Enum):
    """Where the whole tree is."""

    NEW = auto()
    STARTING = auto()
    UP = auto()
    ENDING = auto()
    ENDED = auto()


@dataclass(slots=True)
class _Child:
    id: str
    restart: Restart
    phase: ChildPhase = ChildPhase.DOWN
    since: float = 0.0  # when it began to run
    failures: int = 0  # in a row, for its delays
    asked: bool = False  # its start was asked for by a call: if it fails, that is not a restart that failed


@dataclass(slots=True)
class _Plan:
    """Several children in their order: stop these one by one, wait, start those one by one."""

    stops: deque[str]
    due: float
    starts: deque[str]
    ready: bool = False  # the stops are done and the wait is over
    current: str = ""  # the child that was started last; it must run before the next begins


def _no_delay(child: str, failures: int) -> float:
    return 0.0


class Tree:
    """The state of one supervisor and what it does next.

    Args:
        strategy: who is restarted with a child.
        intensity: how many restarts within `period` are accepted.
        period: seconds.
        children: ids and restart types, in start order.
        delay: seconds to wait before the restart of a child after its n-th failure in a row; at once by default. A run
            of at least `period` forgets the failures before it.
    """

    def __init__(
        self,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        intensity: int = 1,
        period: float = 5.0,
        children: Iterable[tuple[str, Restart]] = (),
        delay: Callable[[str, int], float] = _no_delay,
    ) -> None:
        self.strategy = strategy
        self.intensity = intensity
        self.period = period
        self.mode = Mode.NEW
        self._delay = delay
        self._children = {id: _Child(id, restart) for id, restart in children}
        self._restarts: deque[float] = deque()
        self._plan: _Plan | None = None
        self._queue: deque[tuple[str, Failure | None]] = deque()  # ended while a plan was carried out
        self._waiting: dict[str, float] = {}  # one_for_one: children that wait for their restart -> when it is due
        self._leaving: set[str] = set()  # removed, but not down yet
        self._failure: Failure | None = None
        self._was_up = False
        self._actions: list[TreeAction] = []

    @property
    def alarm(self) -> float | None:
        """When `tick` is to be called, monotonic seconds; None for never."""
        if self.mode is Mode.ENDED:
            return None
        plan = self._plan
        if plan is None:
            return min(self._waiting.values(), default=None)
        return None if plan.stops or plan.ready or self.mode is Mode.ENDING else plan.due

    def phase(self, id: str) -> ChildPhase | None:
        """Tell where a child is; None when it is no child."""
        child = self._children.get(id)
        return child.phase if child else None

    def children(self) -> list[tuple[str, Restart, ChildPhase]]:
        """Return all children in start order."""
        return [(child.id, child.restart, child.phase) for child in self._children.values()]

    def start(self, now: float) -> list[TreeAction]:
        """Start the children one by one; a failure stops those that run, in reverse order."""
        self.mode = Mode.STARTING
        self._plan = _Plan(deque(), now, deque(self._children), ready=True)
        return self._advance(now)

    def stop(self, now: float) -> list[TreeAction]:
        """Stop the children one by one in reverse order."""
        if self.mode not in (Mode.ENDING, Mode.ENDED):
            self._end(None)
        return self._advance(now)

    def kill(self, now: float) -> list[TreeAction]:
        """Kill all children at once."""
        if self.mode not in (Mode.ENDING, Mode.ENDED):
            self._end(None)
        for child in reversed(self._children.values()):
            if _up(child):
                child.phase = ChildPhase.STOPPING
                self._actions.append(KillChild(child.id))
        return self._advance(now)

    def child_started(self, id: str, now: float) -> list[TreeAction]:
        """The child runs."""
        child = self._children.get(id)
        if child is not None and child.phase is ChildPhase.STARTING:
            child.phase = ChildPhase.RUNNING
            child.since = now
        return self._advance(now)

    def child_down(self, id: str, failure: Failure | None, now: float) -> list[TreeAction]:
        """The child did not start, has ended, or has been stopped; `failure` is None after a normal end or a stop."""
        child = self._children.get(id)
        if child is None or child.phase in (ChildPhase.DOWN, ChildPhase.WAITING):
            return []
        was, child.phase = child.phase, ChildPhase.DOWN
        if id in self._leaving:
            self._forget(child)
        elif was is ChildPhase.STOPPING:
            self._forget_temporary(child)
        elif self.mode is Mode.STARTING and was is ChildPhase.STARTING:
            self._end(_start_failure(id, failure))
        elif self.mode in (Mode.STARTING, Mode.UP):
            self._ended(child, was, failure, now)
        elif self.mode is Mode.ENDING:
            self._forget_temporary(child)
        return self._advance(now)

    def tick(self, now: float) -> list[TreeAction]:
        """The time of `alarm` has come."""
        if self._plan is None:
            for id in [id for id, due in self._waiting.items() if due <= now]:
                self._start_child(self._children[id], asked=True)
        return self._advance(now)

    def add(self, id: str, restart: Restart, now: float) -> list[TreeAction]:
        """Append a child and start it, if the tree is up; without effect for one that is there already.

        One that does not start stays down, and counts as no restart.
        """
        if id not in self._children:
            self._children[id] = _Child(id, restart)
            if self.mode is Mode.STARTING and self._plan is not None:
                self._plan.starts.append(id)
            elif self.mode is Mode.UP:
                self._start_child(self._children[id], asked=True)
        return self._advance(now)

    def change(self, id: str, restart: Restart) -> None:
        """Give a child another restart type, from its next end on."""
        self._children[id].restart = restart

    def start_child(self, id: str, now: float) -> list[TreeAction]:
        """Start a child that is down, or at once one that waits for its restart.

        If it does not start it stays down, and that counts as no restart.
        """
        child = self._children.get(id)
        planned = self._plan is not None and id in self._plan.starts
        if child is not None and self.mode is Mode.UP and not planned and not _up(child):
            self._start_child(child, asked=True)
        return self._advance(now)

    def stop_child(self, id: str, now: float) -> list[TreeAction]:
        """Stop a child; it stays down until it is started, alone or with the others."""
        child = self._children.get(id)
        if child is not None:
            self._take_down(child)
            if child.phase is ChildPhase.DOWN:
                self._forget_temporary(child)
        return self._advance(now)

    def remove(self, id: str, now: float) -> list[TreeAction]:
        """Stop a child and forget it."""
        child = self._children.get(id)
        if child is not None:
            self._leaving.add(id)
            self._take_down(child)
            if child.phase is ChildPhase.DOWN:
                self._forget(child)
        return self._advance(now)

    def _take_down(self, child: _Child) -> None:
        if self._plan is not None and child.id in self._plan.starts:
            self._plan.starts.remove(child.id)
        if child.phase in (ChildPhase.STARTING, ChildPhase.RUNNING):
            self._stop_child(child)
        elif child.phase is ChildPhase.WAITING:
            child.phase = ChildPhase.DOWN
            self._waiting.pop(child.id, None)

    def _ended(self, child: _Child, was: ChildPhase, failure: Failure | None, now: float) -> None:
        """A child ended that nobody had asked to."""
        plan = self._plan
        start_failed = was is ChildPhase.STARTING
        if not start_failed and now - child.since >= self.period:
            child.failures = 0
        if child.restart is Restart.TEMPORARY:
            self._forget(child)
        elif not (start_failed and child.asked) and (start_failed or _restarts(child.restart, failure)):
            child.failures += 1
            if plan is None:
                self._restart(child, failure, now)
                return
            child.phase = ChildPhase.WAITING  # for its turn, unless this plan starts it anyway
            self._queue.append((child.id, failure))
            if start_failed:
                self._plan = None  # it came to nothing; the child's own restart begins another one

    def _restart(self, child: _Child, failure: Failure | None, now: float) -> None:
        self._restarts.append(now)
        while self._restarts[0] + self.period < now:
            self._restarts.popleft()
        if len(self._restarts) > self.intensity:
            self._end(self._too_many(child.id, failure))
            return
        child.phase = ChildPhase.WAITING
        delay = self._delay(child.id, child.failures)
        self._actions.append(Restarting(child.id, delay))
        if self.strategy is Strategy.ONE_FOR_ONE:
            self._waiting[child.id] = now + delay
            if delay <= 0:
                self._start_child(child)
            return
        affected = list(self._children)
        if self.strategy is Strategy.REST_FOR_ONE:
            affected = affected[affected.index(child.id) :]
        starts = deque(id for id in affected if self._children[id].restart is not Restart.TEMPORARY)
        self._plan = _Plan(deque(reversed(affected)), now + delay, starts)

    def _end(self, failure: Failure | None) -> None:
        self.mode = Mode.ENDING
        self._failure = failure
        self._queue.clear()
        self._waiting.clear()
        self._plan = _Plan(deque(reversed(self._children)), 0.0, deque())
        for child in self._children.values():
            if child.phase is ChildPhase.WAITING:
                child.phase = ChildPhase.DOWN

    def _advance(self, now: float) -> list[TreeAction]:
        """Carry the plan on as far as it goes, then begin the next; return and clear what is to be done."""
        while self._carry_on(now):
            pass
        actions, self._actions = self._actions, []
        return actions

    def _carry_on(self, now: float) -> bool:
        plan = self._plan
        if plan is None:
            return self._next_restart(now)
        while plan.stops:
            child = self._children.get(plan.stops[0])
            if child is not None and child.phase in (ChildPhase.STARTING, ChildPhase.RUNNING):
                self._stop_child(child)
            if child is not None and child.phase is ChildPhase.STOPPING:
                return False
            plan.stops.popleft()
        if self.mode is Mode.ENDING:
            self._plan = None
            self.mode = Mode.ENDED
            self._actions.append(TreeEnded(self._failure, self._was_up))
            return False
        if not plan.ready:
            if now < plan.due:
                return False
            plan.ready = True
        if self.phase(plan.current) is ChildPhase.STARTING:
            return False
        while plan.starts:
            child = self._children.get(plan.starts.popleft())
            if child is not None and not _up(child):
                self._start_child(child)
                plan.current = child.id
                return False
        self._plan = None
        if self.mode is Mode.STARTING:
            self.mode = Mode.UP
            self._was_up = True
            self._actions.append(TreeStarted())
        return True

    def _next_restart(self, now: float) -> bool:
        while self._queue:
            id, failure = self._queue.popleft()
            child = self._children.get(id)
            if child is not None and child.phase is ChildPhase.WAITING:
                self._restart(child, failure, now)
                return True
        return False

    def _start_child(self, child: _Child, asked: bool = False) -> None:
        self._waiting.pop(child.id, None)
        child.phase = ChildPhase.STARTING
        child.asked = asked
        self._actions.append(StartChild(child.id))

    def _stop_child(self, child: _Child) -> None:
        child.phase = ChildPhase.STOPPING
        self._actions.append(StopChild(child.id))

    def _forget_temporary(self, child: _Child) -> None:
        if child.restart is Restart.TEMPORARY:
            self._forget(child)

    def _forget(self, child: _Child) -> None:
        self._leaving.discard(child.id)
        if self._children.pop(child.id, None) is not None:
            self._actions.append(ForgetChild(child.id))

    def _too_many(self, id: str, failure: Failure | None) -> Failure:
        reason = failure.message if failure else "it ended normally"
        restarts = "1 restart" if self.intensity == 1 else f"{self.intensity} restarts"
        return Failure(
            f"more than {restarts} within {duration_text(self.period)}; the last child to end was {id}: {reason}",
            LIMIT_EXCEEDED,
            details={"child": id, "intensity": self.intensity, "period": self.period},
        )


def _up(child: _Child) -> bool:
    return child.phase in (ChildPhase.STARTING, ChildPhase.RUNNING, ChildPhase.STOPPING)


def _restarts(restart: Restart, failure: Failure | None) -> bool:
    """Tell whether an end is followed by a restart; an error of kind Canceled is a shutdown, others are abnormal."""
    if restart is Restart.TRANSIENT:
        return failure is not None and failure.kind != CANCELED
    return restart is Restart.PERMANENT


def _start_failure(id: str, failure: Failure | None) -> Failure:
    if failure is None:
        return Failure(f"child {id} ended while it started")
    return Failure(
        f"child {id} did not start: {failure.message}", failure.kind, failure.retryable, failure.details, failure.stack
    )
