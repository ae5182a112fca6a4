"""The actor that runs the state machines of services and does what they say."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from types import TracebackType
from typing import Any

from actors.actor import Actor, Timer
from actors.clock import Clock
from actors.errors import INTERNAL, UNAVAILABLE, Failure, ProcessError
from actors.supervision import _reports
from actors.supervision.driver import Driver, DriverEvent, Report, ServiceSpec, Started, StartFailed
from actors.supervision.service import (
    AlarmDue,
    AskStop,
    Event,
    Kill,
    Launch,
    Moment,
    Note,
    NoteKind,
    Phase,
    Reported,
    Service,
    ServiceState,
    ServiceUpdate,
    Status,
    new_service,
    step,
)

logger = logging.getLogger(__name__)

Sink = Callable[[ServiceUpdate], None]


def ignore_update(update: ServiceUpdate) -> None:
    """Be a sink that keeps nothing."""


@dataclass(frozen=True, slots=True)
class SupervisorStatistics:
    """What a supervisor has counted since it began.

    Attributes:
        failures: starts that failed and services that failed while they ran, terminal errors included.
        restarts: attempts to start again.
        gave_up: services that used up their attempts.
        killed: services that did not stop in time.
        abandoned: lives that did not end when killed either.
        escalations: trees that had too many restarts.
    """

    failures: int = 0
    restarts: int = 0
    gave_up: int = 0
    killed: int = 0
    abandoned: int = 0
    escalations: int = 0


class Cell:
    """One service in the table of a supervisor; on the supervisor's thread only."""

    __slots__ = ("drivers", "pid", "service", "spec", "timer")

    def __init__(self, spec: ServiceSpec, service: Service) -> None:
        self.spec = spec
        self.service = service
        self.drivers: dict[int, Driver] = {}  # of the lives whose end is not known
        self.timer: Timer | None = None
        self.pid = ""


@dataclass(frozen=True, slots=True)
class _Report:
    cell: Cell
    life: int
    driver: Driver
    event: DriverEvent


@dataclass(frozen=True, slots=True)
class _Request:
    act: Callable[[], object]
    refused: Callable[[Failure], object]


class Supervisor(Actor):
    """Owns services: starts, watches, restarts and stops them, each by its own `Lifecycle`.

    What may be called from any thread returns at once; answers come by callbacks on the supervisor's thread. It never
    waits for another actor, so supervisors cannot lock each other. An error in a driver or a callback is logged, and
    harms only the service concerned. When the actor stops, all that still lives is killed.

    Args:
        clock: where time comes from.
        name: the name of its thread.
        rng: gives the jitter of delays.
        sink: is told of every change of a service, in order, on this supervisor's thread; it must not block.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        name: str = "",
        rng: Random | None = None,
        sink: Sink = ignore_update,
    ) -> None:
        super().__init__(clock=clock, name=name)
        self.rng = rng if rng is not None else Random()
        self.sink = sink
        self.cells: dict[str, Cell] = {}
        self._shown: dict[str, ServiceState] = {}  # read by every thread; the records in it never change
        self._counts: Counter[str] = Counter()
        self._events: deque[tuple[Cell, Event]] = deque()
        self._giving = False

    def states(self) -> tuple[ServiceState, ...]:
        """Return the records of all services, in the order in which they were added; from any thread, at once."""
        return tuple(self._shown.copy().values())

    def state(self, id: str) -> ServiceState | None:
        """Return the record of one service; from any thread, at once."""
        return self._shown.get(id)

    def statistics(self) -> SupervisorStatistics:
        """Return the counters; from any thread, at once."""
        counts = self._counts
        return SupervisorStatistics(
            failures=counts["failures"],
            restarts=counts[NoteKind.RESTARTING],
            gave_up=counts[NoteKind.GAVE_UP],
            killed=counts[NoteKind.KILLED],
            abandoned=counts[NoteKind.ABANDONED],
            escalations=counts["escalations"],
        )

    def on_update(self, update: ServiceUpdate) -> None:
        """Hear of a change of an own service, after the sink did; on this supervisor's thread."""

    def tell(self, update: ServiceUpdate) -> None:
        """Tell the sink of a change, then `on_update`."""
        self._call(self.sink, update)
        self._call(self.on_update, update)

    def request(self, act: Callable[[], object], refused: Callable[[Failure], object]) -> None:
        """Have `act` called on this supervisor's thread, or `refused` if it has ended; from any thread."""
        self.post(_Request(act, refused))

    def moment(self) -> Moment:
        """Return the present time on both clocks."""
        return Moment(self.clock.monotonic(), self.clock.time())

    def add_cell(self, spec: ServiceSpec) -> Cell:
        """Enter a service into the table; it is not started."""
        cell = Cell(spec, new_service(spec.id, self.moment()))
        self.cells[spec.id] = cell
        self._shown[spec.id] = cell.service.shown
        return cell

    def forget_cell(self, id: str) -> None:
        """Take a service out of the table; what of it still lives is killed."""
        cell = self.cells.pop(id)
        if cell.timer is not None:
            cell.timer.cancel()
        self._kill_all(cell)
        shown = self._shown.pop(id)
        self.tell(ServiceUpdate(shown, failure=cell.service.failure, gone=True))

    def give(self, id: str, event: Event) -> None:
        """Give an event to a service and do what its machine says, now or after the event that is being handled."""
        self._give(self.cells[id], event)

    def at_rest(self, id: str) -> bool:
        """Tell whether a service has nothing to stop."""
        cell = self.cells.get(id)
        return cell is None or (cell.service.phase is Phase.REST and cell.service.shown.status is not Status.FAILED)

    def tally(self, what: str) -> None:
        """Count something for `statistics`."""
        self._counts[what] += 1

    def on_event(self, event: Any) -> None:
        """Take a request, or the report of a driver."""
        if isinstance(event, _Request):
            event.act()
            return
        if not isinstance(event, _Report):
            super().on_event(event)
            return
        cell = event.cell
        if isinstance(event.event, Started):
            if event.life == cell.service.life:
                cell.pid = event.event.pid
            cell.drivers[event.life] = event.driver  # again, for one that had been forgotten
        else:
            cell.drivers.pop(event.life, None)
        self._give(cell, Reported(event.life, event.event))

    def on_refused(self, item: Any) -> None:
        """Refuse a request, and kill what came up after the end of this supervisor."""
        if isinstance(item, _Request):
            self._call(item.refused, Failure(f"supervisor {self.name} has ended", UNAVAILABLE, False))
        if isinstance(item, _Report) and isinstance(item.event, Started):
            self._call(item.driver.kill)

    def on_error(self, error: Exception) -> None:
        """Log the error and go on: a supervisor that ended would leave its services without one."""
        logger.error("%s: unexpected error: %r", self.name, error, exc_info=error, extra={"supervisor": self.name})

    def on_stop(self) -> None:
        """Kill all that still lives."""
        for cell in reversed(self.cells.values()):
            self._kill_all(cell)

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill all that still lives: the thread is ending."""
        self.on_stop()

    def answer(self, done: Callable[[Any], object] | None, value: object) -> None:
        """Call a callback of somebody else; an error in it is logged."""
        if done is not None:
            self._call(done, value)

    def _give(self, cell: Cell, event: Event) -> None:
        # what an action leads to waits its turn, so that the actions of one step are never torn apart
        self._events.append((cell, event))
        if self._giving:
            return
        self._giving = True
        try:
            while self._events:
                self._step(*self._events.popleft())
        finally:
            self._giving = False

    def _step(self, cell: Cell, event: Event) -> None:
        spec = cell.spec
        cell.service, actions = step(cell.service, event, self.moment(), spec.lifecycle, self.rng, spec.noun)
        if self._knows(cell):
            self._shown[spec.id] = cell.service.shown
            self._set_timer(cell)
        for action in actions:
            if isinstance(action, Note):
                self._note(action, cell)  # first, so that a failure is logged before what it leads to
        for action in actions:
            match action:
                case Launch(life) if self._knows(cell):
                    self._launch(cell, life)
                case AskStop(life, reason):
                    if (driver := cell.drivers.get(life)) is not None:
                        self._call(driver.stop, reason)
                case Kill(life):
                    if (driver := cell.drivers.get(life)) is not None:
                        self._call(driver.kill)
                case ServiceUpdate() if self._knows(cell):
                    self.tell(action)

    def _knows(self, cell: Cell) -> bool:
        # it may be forgotten by what its own update led to
        return self.cells.get(cell.spec.id) is cell

    def _set_timer(self, cell: Cell) -> None:
        alarm = cell.service.alarm
        if cell.timer is not None:
            if cell.timer.pending and cell.timer.when == alarm:
                return
            cell.timer.cancel()
        cell.timer = None if alarm is None else self.call_at(alarm, lambda: self._give(cell, AlarmDue()))

    def _launch(self, cell: Cell, life: int) -> None:
        cell.pid = ""
        try:
            driver = cell.spec.driver()
            cell.drivers[life] = driver
            driver.start(self._reporter(cell, life, driver))
        except Exception as error:
            failed = Reported(life, StartFailed(failure_of(error)))
            cell.drivers.pop(life, None)
            self.post(lambda: self._give(cell, failed))

    def _reporter(self, cell: Cell, life: int, driver: Driver) -> Report:
        return lambda event: self.post(_Report(cell, life, driver, event))

    def _kill_all(self, cell: Cell) -> None:
        for driver in list(cell.drivers.values()):
            self._call(driver.kill)

    def _note(self, note: Note, cell: Cell) -> None:
        self.tally(note.kind)
        if note.kind is NoteKind.FAILED or (note.kind is NoteKind.EXITED and note.service.failure is not None):
            self.tally("failures")
        _reports.log_note(note, cell.pid, self.name)

    def _call(self, what: Callable[..., object], *args: object) -> None:
        try:
            what(*args)
        except Exception as error:
            self.on_error(error)


def failure_of(error: Exception) -> Failure:
    """Return an exception as a failure; its own kind and retryable if it has them."""
    if isinstance(error, ProcessError):
        return error.failure()
    return Failure(f"{type(error).__name__}: {error}", INTERNAL)


def as_child(spec: ServiceSpec, stable_threshold: float) -> ServiceSpec:
    """Return the spec of a service whose restarts somebody else decides on."""
    return replace(spec, lifecycle=replace(spec.lifecycle, restart=None, stable_threshold=stable_threshold))
