"""The root of a runtime's supervision: it starts services in dependency order and stops them in reverse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from actors.actor import Timer
from actors.clock import Clock
from actors.errors import CANCELED, NOT_FOUND, UNAVAILABLE, Failure
from actors.supervision.driver import ServiceSpec
from actors.supervision.policy import Startup
from actors.supervision.service import (
    KillWanted,
    Phase,
    ServiceUpdate,
    StartWanted,
    Status,
    StopWanted,
)
from actors.supervision.startup import BatchOutcome, Graph, References, StartBatch, StopSequence, no_references
from actors.supervision.supervisor import Sink, Supervisor, ignore_update

logger = logging.getLogger(__name__)

BatchDone = Callable[[BatchOutcome], object]


@dataclass(frozen=True, slots=True)
class StopOutcome:
    """What became of a stop.

    Attributes:
        failed: services that did not stop -> why.
        error: why nothing was stopped.
        timed_out: the total limit was over, and what still lived was killed.
    """

    failed: Mapping[str, str] = field(default_factory=dict)
    error: Failure | None = None
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether all stopped in time."""
        return not self.failed and self.error is None and not self.timed_out


StopDone = Callable[[StopOutcome], object]


@dataclass(slots=True, eq=False)
class _Batch:
    machine: StartBatch
    explicit: frozenset[str]
    settled: BatchDone | None
    done: BatchDone | None
    logged: bool = False


@dataclass(slots=True, eq=False)
class _Stop:
    machine: StopSequence
    then: Callable[[StopSequence], object]


class RootSupervisor(Supervisor):
    """Owns every service of a runtime that is not the child of a tree (shared spec `supervision.md` §1-§8).

    All calls may come from any thread and return at once; callbacks come on this supervisor's thread. Batches of
    starts run beside each other (OP-8).

    Args:
        references: the ids that an entry which is no service refers to, to find what is behind it; called on this
            supervisor's thread whenever an order is to be found.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        name: str = "supervisor",
        rng: Random | None = None,
        sink: Sink = ignore_update,
        references: References = no_references,
    ) -> None:
        super().__init__(clock=clock, name=name, rng=rng, sink=sink)
        self._references = references
        self._extra = {"supervisor": self.name}
        self._batches: list[_Batch] = []
        self._stops: list[_Stop] = []
        self._closing: list[StopDone | None] | None = None  # who waits for the shutdown; None before it
        self._closed: StopOutcome | None = None
        self._limit: Timer | None = None
        self._timed_out = False

    def start_batch(
        self, specs: Iterable[ServiceSpec], *, settled: BatchDone | None = None, done: BatchDone | None = None
    ) -> None:
        """Add services and start those with `auto_start` and what these need; as `apply(added=specs)`."""
        self.apply(added=specs, settled=settled, done=done)

    def apply(
        self,
        *,
        added: Iterable[ServiceSpec] = (),
        updated: Iterable[ServiceSpec] = (),
        removed: Iterable[str] = (),
        settled: BatchDone | None = None,
        done: BatchDone | None = None,
    ) -> None:
        """Carry out a change set: stop and forget, change, then add and start what has `auto_start`.

        An update holds from the next start or failure on; `auto_start` turned on starts the service now (OP-2). A
        removal that a running service forbids (OP-9) is told as an error, and then nothing is changed.

        Args:
            settled: called once, when every service of the batch runs, has failed for good, is blocked, or waits
                because of a retry.
            done: called once, when nothing is left to wait for but optional services that are retrying; not before
                `settled`.
        """
        specs, changes, ids = tuple(added), tuple(updated), tuple(removed)
        self._ask(lambda: self._apply(specs, changes, ids, settled, done), settled, done)

    def start_service(self, id: str, *, settled: BatchDone | None = None, done: BatchDone | None = None) -> None:
        """Start a service and what it depends on, with a new count of failures (OP-5).

        An unknown id is told to `done` as an error of kind NotFound.
        """
        self._ask(lambda: self._start_service(id, settled, done), settled, done)

    def stop_service(self, id: str, done: StopDone | None = None) -> None:
        """Stop a service and all that depend on it, dependents first."""
        self.request(lambda: self._stop_service(id, done), lambda error: self.answer(done, StopOutcome(error=error)))

    def shutdown(self, timeout: float = 30.0, done: StopDone | None = None) -> None:
        """Stop everything, dependents first; after `timeout` seconds kill what still lives.

        Starts in progress are called off, pending retries dropped, and nothing is started any more. A second call may
        shorten the time, 0 ends it at once. The actor itself goes on: stop and join it afterwards.
        """
        self.request(lambda: self._shutdown(timeout, done), lambda _: self.answer(done, self._closed or StopOutcome()))

    def removal_conflicts(self, removed: Iterable[str]) -> list[Failure]:
        """Return why services may not be removed now (OP-9); from any thread, for a check before a change set."""
        specs = {id: cell.spec for id, cell in self.cells.copy().items()}
        return Graph(specs, self._references).removal_conflicts(removed, self._is_running)

    def on_update(self, update: ServiceUpdate) -> None:
        """Carry on the batches and stops that wait for it."""
        for batch in list(self._batches):
            self._start(batch, batch.machine.update(update))
            self._check_batch(batch)
        for stop in list(self._stops):
            stop.machine.update(update)
            self._carry_on(stop)

    def _ask(self, act: Callable[[], object], settled: BatchDone | None, done: BatchDone | None) -> None:
        self.request(act, lambda error: self._answer_both(BatchOutcome(errors=(error,)), settled, done))

    def _apply(
        self,
        added: tuple[ServiceSpec, ...],
        updated: tuple[ServiceSpec, ...],
        removed: tuple[str, ...],
        settled: BatchDone | None,
        done: BatchDone | None,
    ) -> None:
        errors = self._refusal() or self._graph().removal_conflicts(removed, self._is_running)
        if errors:
            self._answer_both(BatchOutcome(errors=tuple(errors)), settled, done)
            return

        def removed_all(_: StopSequence) -> None:
            for id in removed:
                if id in self.cells:
                    self.forget_cell(id)
            self._add(added, updated, settled, done)

        self._stop_all([id for id in removed if id in self.cells], removed_all)

    def _add(
        self,
        added: tuple[ServiceSpec, ...],
        updated: tuple[ServiceSpec, ...],
        settled: BatchDone | None,
        done: BatchDone | None,
    ) -> None:
        if self._closing is not None:
            self._answer_both(BatchOutcome(errors=tuple(self._refusal())), settled, done)
            return
        roots = []
        for spec in (*updated, *added):
            cell = self.cells.get(spec.id)
            if cell is None:
                self.add_cell(spec)
                wanted = spec.lifecycle.auto_start
            else:
                wanted = spec.lifecycle.auto_start and not cell.spec.lifecycle.auto_start
                cell.spec = spec
            if wanted:
                roots.append(spec.id)
        self._begin(roots, frozenset(), settled, done)

    def _start_service(self, id: str, settled: BatchDone | None, done: BatchDone | None) -> None:
        errors = self._refusal() or self._unknown(id)
        if errors:
            self._answer_both(BatchOutcome(errors=tuple(errors)), settled, done)
        else:
            self._begin([id], frozenset([id]), settled, done)

    def _begin(
        self, roots: Iterable[str], explicit: frozenset[str], settled: BatchDone | None, done: BatchDone | None
    ) -> None:
        required = {id: self.cells[id].spec.lifecycle.startup is Startup.REQUIRED or id in explicit for id in roots}
        machine = StartBatch(self._graph(), required, self._is_running)
        batch = _Batch(machine, explicit, settled, done)
        self._batches.append(batch)
        self._start(batch, machine.begin())
        self._check_batch(batch)

    def _start(self, batch: _Batch, ids: Iterable[str]) -> None:
        for id in ids:
            service = self.cells[id].service
            if service.phase is Phase.BACKOFF and id not in batch.explicit:
                # its own policy says when; the batch waits with the others
                retry_in = max(0.0, (service.alarm or 0.0) - self.clock.monotonic())
                batch.machine.update(ServiceUpdate(service.shown, retry_in, service.failure))
            else:
                self.give(id, StartWanted())

    def _check_batch(self, batch: _Batch) -> None:
        machine = batch.machine
        if batch.settled is not None and (machine.settled or machine.done):
            settled, batch.settled = batch.settled, None
            self.answer(settled, machine.outcome())
        if batch.done is not None and machine.done:
            done, batch.done = batch.done, None
            self.answer(done, machine.outcome())
        if machine.done and not batch.logged:
            batch.logged = True
            for error in machine.outcome().errors:
                if error.kind != CANCELED:
                    logger.error("failed to execute commit protocol: %s", error.message, extra=self._extra)
        if machine.empty and batch in self._batches:
            self._batches.remove(batch)

    def _stop_service(self, id: str, done: StopDone | None) -> None:
        errors = self._unknown(id)
        if errors:
            self.answer(done, StopOutcome(error=errors[0]))
        else:
            self._stop_all(
                self._graph().dependents([id]),
                lambda stopped: self.answer(done, StopOutcome(dict(stopped.failed))),
            )

    def _stop_all(self, ids: Iterable[str], then: Callable[[StopSequence], object]) -> None:
        stop = _Stop(StopSequence(self._graph().stop_levels(ids)), then)
        self._stops.append(stop)
        self._carry_on(stop)

    def _carry_on(self, stop: _Stop) -> None:
        for id in stop.machine.next(self.at_rest):
            self.give(id, StopWanted())
        if stop.machine.done and stop in self._stops:
            self._stops.remove(stop)
            stop.then(stop.machine)

    def _shutdown(self, timeout: float, done: StopDone | None) -> None:
        if self._closed is not None:
            self.answer(done, self._closed)
            return
        limit = self.clock.monotonic() + max(0.0, timeout)
        if self._limit is None or limit < self._limit.when:
            if self._limit is not None:
                self._limit.cancel()
            self._limit = self.call_at(limit, self._kill_rest)
        if self._closing is not None:
            self._closing.append(done)
            return
        self._closing = [done]
        for batch in list(self._batches):
            batch.machine.cancel("the runtime is stopping")
            self._check_batch(batch)
        for id, cell in list(self.cells.items()):
            if cell.service.phase in (Phase.STARTING, Phase.CLEARING, Phase.BACKOFF):
                self.give(id, StopWanted())
        self._stop_all(list(self.cells), self._shut)

    def _kill_rest(self) -> None:
        self._timed_out = True
        for id, cell in list(self.cells.items()):
            if cell.service.phase is not Phase.REST:
                self.give(id, KillWanted())

    def _shut(self, stopped: StopSequence) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._closed = StopOutcome(dict(stopped.failed), timed_out=self._timed_out)
        waiting, self._closing = self._closing or [], []
        for done in waiting:
            self.answer(done, self._closed)

    def _graph(self) -> Graph:
        return Graph({id: cell.spec for id, cell in self.cells.items()}, self._references)

    def _is_running(self, id: str) -> bool:
        shown = self.state(id)
        return shown is not None and shown.status is Status.RUNNING

    def _refusal(self) -> list[Failure]:
        if self._closing is None:
            return []
        return [Failure("the runtime is stopping; nothing is started any more", UNAVAILABLE, False)]

    def _unknown(self, id: str) -> list[Failure]:
        if id in self.cells:
            return []
        logger.warning("no service %s to start or stop", id, extra={"entry": id, "supervisor": self.name})
        return [Failure(f"no service {id}", NOT_FOUND, False, {"id": id})]

    def _answer_both(self, outcome: BatchOutcome, settled: BatchDone | None, done: BatchDone | None) -> None:
        self.answer(settled, outcome)
        self.answer(done, outcome)
