"""Supervision trees: the actor of one life of a `supervisor` entry, and the entry over all its lives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random
from types import TracebackType

from actors.actor import Timer
from actors.clock import Clock
from actors.errors import ALREADY_EXISTS, CANCELED, NOT_FOUND, UNAVAILABLE, Failure
from actors.supervision import _reports
from actors.supervision.driver import Exited, Report, ServiceSpec, Started, StartFailed
from actors.supervision.policy import Lifecycle, RestartPolicy
from actors.supervision.service import KillWanted, ServiceUpdate, StartWanted, Status, StopWanted
from actors.supervision.strategy import (
    ChildPhase,
    ForgetChild,
    KillChild,
    Mode,
    Restart,
    Restarting,
    StartChild,
    StopChild,
    Strategy,
    Tree,
    TreeAction,
    TreeEnded,
    TreeStarted,
)
from actors.supervision.supervisor import Sink, Supervisor, as_child, ignore_update

ChildDone = Callable[[Failure | None], object]


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A child of a tree.

    Attributes:
        service: what it is; of its lifecycle only the time-outs count.
        restart: after which ends it is restarted.
        delays: the waits before restarts; None to restart at once.
    """

    service: ServiceSpec
    restart: Restart = Restart.PERMANENT
    delays: RestartPolicy | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "restart", Restart(self.restart))

    @property
    def id(self) -> str:
        """The id of its service."""
        return self.service.id


@dataclass(frozen=True, slots=True)
class TreeSpec:
    """A `supervisor` entry (shared spec `supervision.md` §9).

    Attributes:
        id: the id of the entry.
        children: in start order.
        strategy: who is restarted with a child.
        intensity: how many restarts within `period` are accepted; one more ends the tree.
        period: seconds.

    Raises:
        ValueError: an unknown strategy, an intensity below 0, a period not above 0, or a child twice.
    """

    id: str
    children: tuple[ChildSpec, ...] = ()
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 1
    period: float = 5.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "strategy", Strategy(self.strategy))
        if self.intensity < 0:
            raise ValueError(f"{self.id}: intensity: got {self.intensity}, expected at least 0")
        if not self.period > 0:
            raise ValueError(f"{self.id}: period: got {self.period}, expected more than 0")
        ids = [child.id for child in self.children]
        twice = next((id for id in ids if ids.count(id) > 1), None) if len(set(ids)) < len(ids) else None
        if twice is not None:
            raise ValueError(f"{self.id}: children: got {twice} twice, expected each child once")


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """A child as its supervisor lists it."""

    id: str
    restart: Restart
    phase: ChildPhase


@dataclass(frozen=True, slots=True)
class ChildCount:
    """How many children there are, and how many of them run or are about to."""

    specs: int
    active: int


class TreeSupervisor(Supervisor):
    """One life of a supervision tree: starts its children in order, restarts them by its strategy, and ends.

    It reports `Started` when all children run; `StartFailed` when one did not; `Exited` with a failure of kind
    LimitExceeded after too many restarts, without one after a stop. Then its thread ends.

    The calls for children may come from any thread and return at once; `done` is called on this supervisor's thread
    with None, or with the reason for which it could not be.

    Args:
        report: hears of the tree's start and end; called on this supervisor's thread.
    """

    def __init__(
        self,
        spec: TreeSpec,
        report: Report = lambda event: None,
        *,
        clock: Clock | None = None,
        rng: Random | None = None,
        sink: Sink = ignore_update,
    ) -> None:
        super().__init__(clock=clock, name=spec.id, rng=rng, sink=sink)
        self.spec = spec
        self._report = report
        self._children: dict[str, ChildSpec] = {}
        self._tree = Tree(spec.strategy, spec.intensity, spec.period, delay=self._delay)
        self._waiting: dict[str, list[tuple[bool, ChildDone]]] = {}  # for the end of a start (True) or a stop
        self._alarm: Timer | None = None

    def shutdown(self) -> None:
        """Stop the children one by one in reverse order, then end."""
        self.post(lambda: self._act(self._tree.stop(self._now())))

    def kill(self) -> None:
        """Kill all children at once, then end."""
        self.post(lambda: self._act(self._tree.kill(self._now())))

    def start_child(self, child: ChildSpec | str, done: ChildDone | None = None) -> None:
        """Add a child behind the others and start it; or start one that is there and down, by its id.

        A child that does not start stays in the list, down; a temporary one is forgotten.
        """
        self._ask(lambda: self._start_child(child, done), done)

    def stop_child(self, id: str, done: ChildDone | None = None) -> None:
        """Stop a child; it stays in the list (unless it is temporary) and is started with the others again."""
        self._ask(lambda: self._take_child(id, done, self._tree.stop_child), done)

    def remove_child(self, id: str, done: ChildDone | None = None) -> None:
        """Stop a child and forget it."""
        self._ask(lambda: self._take_child(id, done, self._tree.remove), done)

    def list_children(self, done: Callable[[tuple[ChildInfo, ...]], object]) -> None:
        """Give the children in start order to `done`; none after the tree's end."""
        self.request(
            lambda: self.answer(done, tuple(ChildInfo(*child) for child in self._tree.children())),
            lambda failure: done(()),
        )

    def count_children(self, done: Callable[[ChildCount], object]) -> None:
        """Give the number of children to `done`; 0 after the tree's end."""

        def count() -> None:
            active = sum(phase is not ChildPhase.DOWN for _, _, phase in self._tree.children())
            self.answer(done, ChildCount(len(self.cells), active))

        self.request(count, lambda failure: done(ChildCount(0, 0)))

    def change(self, spec: TreeSpec) -> None:
        """Take over a changed spec: new children are started, missing ones stopped; the rest counts from now on."""
        self.post(lambda: self._change(spec))

    def on_start(self) -> None:
        """Start the children; called by the actor's thread."""
        for child in self.spec.children:
            self._enter(child)
        self._act(self._tree.start(self._now()))

    def tell(self, update: ServiceUpdate) -> None:
        """Let the tree decide what follows from a change of a child, tell the sink with it, and do it."""
        id, status = update.state.id, update.state.status
        if update.gone or status in (Status.STARTING, Status.STOPPING):
            super().tell(update)
            return
        failure = None if status is Status.STOPPED else update.failure
        if status is Status.RUNNING:
            actions = self._tree.child_started(id, self._now())
        else:
            actions = self._tree.child_down(id, failure, self._now())
            if self._tree.phase(id) in (ChildPhase.WAITING, ChildPhase.STARTING):
                delays = [action.delay for action in actions if isinstance(action, Restarting) and action.id == id]
                update = replace(update, retry_in=delays[0] if delays else 0.0)
        super().tell(update)
        waiting = self._waiting.pop(id, ())
        self._act(actions)
        canceled = Failure(f"{id} was stopped", CANCELED, False) if status is Status.STOPPED else failure
        for starting, done in waiting:
            self.answer(done, canceled if starting else failure)

    def on_stop(self) -> None:
        """Kill what still lives, and answer those who wait."""
        super().on_stop()
        left, self._waiting = self._waiting, {}
        for starting, done in [waiting for waitings in left.values() for waiting in waitings]:
            self.answer(done, Failure(f"supervisor {self.name} has ended", UNAVAILABLE, False) if starting else None)

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill what still lives and report the end."""
        super().on_failure(exception_type, exception_value, traceback)
        self._report(Exited(Failure(f"supervisor {self.name} ended by an error: {exception_value!r}")))

    def _ask(self, act: Callable[[], object], done: ChildDone | None) -> None:
        self.request(act, lambda failure: self.answer(done, failure))

    def _start_child(self, child: ChildSpec | str, done: ChildDone | None) -> None:
        id = child if isinstance(child, str) else child.id
        if self._tree.mode is not Mode.UP:
            self.answer(done, Failure(f"supervisor {self.name} is not running", UNAVAILABLE))
        elif isinstance(child, ChildSpec) and id in self.cells:
            text = f"{id} is a child of {self.name} already; start it by its id"
            self.answer(done, Failure(text, ALREADY_EXISTS, False))
        elif isinstance(child, ChildSpec):
            self._await(id, True, done)
            self._enter(child)
        elif id not in self.cells:
            self.answer(done, self._no_child(id))
        elif self._tree.phase(id) is ChildPhase.RUNNING:
            self.answer(done, None)
        else:
            self._await(id, True, done)
            self._act(self._tree.start_child(id, self._now()))

    def _take_child(self, id: str, done: ChildDone | None, take: Callable[[str, float], list[TreeAction]]) -> None:
        if id not in self.cells:
            self.answer(done, self._no_child(id))
            return
        at_rest = self._tree.phase(id) in (ChildPhase.DOWN, ChildPhase.WAITING)
        if not at_rest:
            self._await(id, False, done)
        self._act(take(id, self._now()))
        if at_rest:
            self.answer(done, None)

    def _await(self, id: str, starting: bool, done: ChildDone | None) -> None:
        if done is not None:
            self._waiting.setdefault(id, []).append((starting, done))

    def _no_child(self, id: str) -> Failure:
        return Failure(f"{id} is no child of supervisor {self.name}", NOT_FOUND, False, {"id": id})

    def _enter(self, child: ChildSpec) -> None:
        self._children[child.id] = child
        self.add_cell(as_child(child.service, self.spec.period))
        self._act(self._tree.add(child.id, child.restart, self._now()))

    def _change(self, spec: TreeSpec) -> None:
        before, self.spec = self.spec, spec
        self._tree.strategy, self._tree.intensity, self._tree.period = spec.strategy, spec.intensity, spec.period
        kept = {child.id for child in spec.children}
        for id in [child.id for child in before.children if child.id not in kept]:
            self._act(self._tree.remove(id, self._now()))
        for child in spec.children:
            cell = self.cells.get(child.id)
            if cell is None:
                self._enter(child)
            else:
                self._children[child.id] = child
                cell.spec = as_child(child.service, spec.period)
                self._tree.change(child.id, child.restart)

    def _act(self, actions: Iterable[TreeAction]) -> None:
        for action in actions:
            match action:
                case StartChild(id):
                    self.give(id, StartWanted(reset=False))
                case StopChild(id):
                    self.give(id, StopWanted())
                case KillChild(id):
                    self.give(id, KillWanted())
                case ForgetChild(id):
                    del self._children[id]
                    self.forget_cell(id)
                case Restarting(id, delay):
                    self.tally("restarting")
                    _reports.log_restart(id, delay, self.spec.strategy.value, self.name)
                case TreeStarted():
                    self._report(Started())
                case TreeEnded(failure, started):
                    self._end(failure, started)
        self._set_alarm()

    def _end(self, failure: Failure | None, started: bool) -> None:
        if failure is not None and started:
            self.tally("escalations")
            _reports.log_escalation(self.name, failure)
        self._report(Exited(failure) if started or failure is None else StartFailed(failure))
        self._stop()

    def _set_alarm(self) -> None:
        alarm = self._tree.alarm
        if self._alarm is not None:
            if self._alarm.pending and self._alarm.when == alarm:
                return
            self._alarm.cancel()
        self._alarm = None if alarm is None else self.call_at(alarm, lambda: self._act(self._tree.tick(self._now())))

    def _delay(self, id: str, failures: int) -> float:
        delays = self._children[id].delays
        return 0.0 if delays is None else delays.delay(failures, self.rng)

    def _now(self) -> float:
        return self.clock.monotonic()


class TreeService:
    """A `supervisor` entry over all its lives; its `service` is what a supervisor above it runs.

    Args:
        clock, rng, sink: handed to each life; `sink` is called on the thread of the tree.
    """

    def __init__(
        self,
        spec: TreeSpec,
        *,
        clock: Clock | None = None,
        rng: Random | None = None,
        sink: Sink = ignore_update,
    ) -> None:
        self.spec = spec
        self.live: TreeSupervisor | None = None  # the present life; set by the thread of the supervisor above
        self._clock = clock
        self._rng = rng
        self._sink = sink

    def service(
        self, lifecycle: Lifecycle | None = None, requires: tuple[str, ...] = (), references: tuple[str, ...] = ()
    ) -> ServiceSpec:
        """Return the service of the entry: it depends on what its children depend on, and stands for them."""
        inner = [child.service for child in self.spec.children]
        own = dict.fromkeys((self.spec.id, *(id for service in inner for id in (service.id, *service.provides))))
        required = (*requires, *(id for service in inner for id in service.requires))
        referred = (*references, *(id for service in inner for id in service.references))
        return ServiceSpec(
            self.spec.id,
            self.driver,
            lifecycle if lifecycle is not None else Lifecycle(),
            requires=tuple(dict.fromkeys(id for id in required if id not in own)),
            references=tuple(dict.fromkeys(id for id in referred if id not in own)),
            provides=tuple(own)[1:],
            noun="supervisor",
        )

    def driver(self) -> TreeDriver:
        """Return the driver of the next life."""
        return TreeDriver(self)

    def change(self, spec: TreeSpec) -> None:
        """Take over a changed spec, now and for later lives; from any thread."""
        self.spec = spec
        live = self.live
        if live is not None:
            live.change(spec)

    def start_life(self, report: Report) -> TreeSupervisor:
        """Start the actor of a life; on the thread of the supervisor above."""
        spec = self.spec
        self.live = live = TreeSupervisor.launch(spec, report, clock=self._clock, rng=self._rng, sink=self._sink)
        if self.spec is not spec:  # changed meanwhile, by somebody who did not find this life yet
            live.change(self.spec)
        return live


class TreeDriver:
    """One life of a tree, as the supervisor above sees it."""

    def __init__(self, service: TreeService) -> None:
        self._service = service
        self._life: TreeSupervisor | None = None

    def start(self, report: Report) -> None:
        """Start the tree's actor."""
        self._life = self._service.start_life(report)

    def stop(self, reason: str) -> None:
        """Stop the children in reverse order."""
        if self._life is not None:
            self._life.shutdown()

    def kill(self) -> None:
        """Kill all children at once."""
        if self._life is not None:
            self._life.kill()
