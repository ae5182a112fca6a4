"""In which order services start and stop (shared spec `supervision.md` §6 and §7.1): pure decisions over a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from actors.errors import CANCELED, CONFLICT, INVALID, NOT_FOUND, TIMEOUT, Failure
from actors.supervision.driver import ServiceSpec
from actors.supervision.service import ServiceUpdate, Status

References = Callable[[str], Iterable[str]]


def no_references(id: str) -> Iterable[str]:
    """Say of every entry that it refers to nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class Needs:
    """What one service depends on: the services that must run first, and required ids that lead to no service."""

    services: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Graph:
    """Who depends on whom among the services that a supervisor knows.

    Args:
        specs: the services by id.
        references: the ids that an entry which is no service refers to; nothing for an unknown id.
    """

    def __init__(self, specs: Mapping[str, ServiceSpec], references: References = no_references) -> None:
        self._specs = specs
        self._references = references
        self._owners = {id: spec.id for spec in specs.values() for id in (spec.id, *spec.provides)}

    def needs(self, id: str) -> Needs:
        """Return what a service depends on; entries between two services are followed."""
        spec = self._specs[id]
        found: dict[str, None] = {}
        missing = []
        for target in spec.requires:
            reached = self._reach(target)
            found.update(dict.fromkeys(reached))
            if not reached:
                missing.append(target)
        implicit = [service for target in spec.references for service in self._reach(target) if service != id]
        found.update(dict.fromkeys(implicit))
        return Needs(tuple(found), tuple(missing))

    def dependents(self, ids: Iterable[str]) -> set[str]:
        """Return the services that depend on one of `ids`, directly or not, and `ids` themselves."""
        users: dict[str, list[str]] = {}
        for id in self._specs:
            for needed in self.needs(id).services:
                users.setdefault(needed, []).append(id)
        return _closure(ids, lambda id: users.get(id, ()))

    def stop_levels(self, ids: Iterable[str]) -> list[list[str]]:
        """Sort services into levels to be stopped one after the other: dependents first, each level by id."""
        waiting = {id: set(self.needs(id).services) for id in ids}
        for id, needed in waiting.items():
            needed &= waiting.keys() - {id}
        levels = []
        while waiting:
            used = set().union(*waiting.values())
            level = sorted(waiting.keys() - used) or sorted(waiting)  # a cycle is stopped at once
            for id in level:
                del waiting[id]
            levels.append(level)
        return levels

    def removal_conflicts(self, removed: Iterable[str], running: Callable[[str], bool]) -> list[Failure]:
        """Return why services may not be removed: running services that stay name them in `requires` (OP-9)."""
        leaving = set(removed)
        names = {name for id in leaving if id in self._specs for name in (id, *self._specs[id].provides)}
        return [
            Failure(
                f"cannot remove {target}: the running service {id} requires it; stop or remove {id} first",
                CONFLICT,
                False,
                {"id": target, "required_by": id},
            )
            for id, spec in sorted(self._specs.items())
            if id not in leaving and running(id)
            for target in spec.requires
            if target in names
        ]

    def _reach(self, target: str) -> list[str]:
        found: dict[str, None] = {}
        seen = {target}
        ahead = [target]
        while ahead:
            id = ahead.pop(0)
            if id in self._owners:
                found[self._owners[id]] = None
                continue
            new = [ref for ref in self._references(id) if ref not in seen]
            seen.update(new)
            ahead += new
        return list(found)


class Progress(Enum):
    """How far a service of a batch has come."""

    WAITING = auto()
    STARTING = auto()
    RETRYING = auto()
    STARTED = auto()
    FAILED = auto()
    BLOCKED = auto()


_OPEN = (Progress.WAITING, Progress.STARTING, Progress.RETRYING)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What became of a batch, all ids sorted.

    Attributes:
        started: services that ran, before or because of it.
        failed: services that failed for good -> why.
        blocked: services that were not started because of another one or a missing target -> why.
        retrying: services that wait for their next attempt, and those that wait for one of them.
        errors: one for each required service that failed or was blocked, or for the batch as a whole.
    """

    started: tuple[str, ...] = ()
    failed: Mapping[str, Failure] = field(default_factory=dict)
    blocked: Mapping[str, Failure] = field(default_factory=dict)
    retrying: tuple[str, ...] = ()
    errors: tuple[Failure, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether no required service failed or was blocked."""
        return not self.errors


class StartBatch:
    """Starts some services and what they depend on, each as soon as its dependencies run.

    It is fed with the updates of all services and answers with the ids of those to start now, in id order.

    Args:
        graph: who depends on whom.
        roots: the services to start -> whether they are required.
        running: tells which services run already; these count as started.
    """

    def __init__(self, graph: Graph, roots: Mapping[str, bool], running: Callable[[str], bool]) -> None:
        self._needs: dict[str, Needs] = {}
        self._progress: dict[str, Progress] = {}
        self._failures: dict[str, Failure] = {}
        self._whole: Failure | None = None
        reached = _closure(roots, lambda id: self._look(graph, id, running))
        required = _closure((id for id, needed in roots.items() if needed), lambda id: self._needs[id].services)
        self._required = required & reached
        cycle = _find_cycle(sorted(id for id in reached if id in self._progress), self._pending_needs)
        if cycle:
            path = " -> ".join(cycle)
            self._whole = Failure(f"services depend on each other in a circle: {path}", INVALID, False)
            for id in self._progress:
                self._block(id, self._whole)

    @property
    def settled(self) -> bool:
        """Tell whether every service has started, failed for good, is blocked, or waits because of a retry."""
        return not any(state is Progress.STARTING for state in self._progress.values())

    @property
    def done(self) -> bool:
        """Tell whether it has ended: nothing is open but optional services that are retrying or wait for one."""
        return self.settled and not any(self._progress[id] in _OPEN for id in self._required if id in self._progress)

    @property
    def empty(self) -> bool:
        """Tell whether nothing is open, optional services included."""
        return not any(state in _OPEN for state in self._progress.values())

    def begin(self) -> list[str]:
        """Return the services to start first."""
        for id, needs in self._needs.items():
            if needs.missing and self._progress.get(id) is Progress.WAITING:
                missing = ", ".join(needs.missing)
                text = f"service startup blocked by missing dependencies: {id} requires {missing}"
                self._block(id, Failure(text, NOT_FOUND, False, {"id": id, "missing": list(needs.missing)}))
                self._block_dependents(id)
        return self._next()

    def update(self, update: ServiceUpdate) -> list[str]:
        """Take notice of a change and return the services to start now."""
        id = update.state.id
        state = self._progress.get(id)
        if state not in _OPEN:
            return []
        ended = update.state.status in (Status.FAILED, Status.EXITED, Status.STOPPED) and state is not Progress.WAITING
        if update.gone or (ended and update.retry_in is None):
            self._progress[id] = Progress.FAILED
            self._failures[id] = _why(id, update)
            self._block_dependents(id)
        elif ended:
            self._progress[id] = Progress.RETRYING
        elif update.state.status is Status.RUNNING:
            self._progress[id] = Progress.STARTED
        return self._next()

    def cancel(self, reason: str) -> list[str]:
        """Give the batch up; return the services whose start was in progress."""
        open_ids = [id for id, state in self._progress.items() if state in _OPEN]
        begun = [id for id in open_ids if self._progress[id] is not Progress.WAITING]
        self._whole = self._whole or Failure(reason, CANCELED, False)
        for id in open_ids:
            self._block(id, self._whole)
        return begun

    def outcome(self) -> BatchOutcome:
        """Return what has become of it so far."""
        by = {state: sorted(id for id, has in self._progress.items() if has is state) for state in Progress}
        bad = by[Progress.FAILED] + by[Progress.BLOCKED]
        errors = [self._failures[id] for id in bad if id in self._required]
        return BatchOutcome(
            started=tuple(by[Progress.STARTED]),
            failed={id: self._failures[id] for id in by[Progress.FAILED]},
            blocked={id: self._failures[id] for id in by[Progress.BLOCKED]},
            retrying=tuple(sorted(by[Progress.RETRYING] + by[Progress.WAITING])),
            errors=(self._whole,) if self._whole is not None else tuple(errors),
        )

    def _look(self, graph: Graph, id: str, running: Callable[[str], bool]) -> Iterable[str]:
        if running(id):
            self._progress[id] = Progress.STARTED
            self._needs[id] = Needs()
        else:
            self._progress[id] = Progress.WAITING
            self._needs[id] = graph.needs(id)
        return self._needs[id].services

    def _pending_needs(self, id: str) -> Iterable[str]:
        return sorted(self._needs[id].services)

    def _next(self) -> list[str]:
        started = Progress.STARTED
        ready = [
            id
            for id, state in self._progress.items()
            if state is Progress.WAITING and all(self._progress[need] is started for need in self._needs[id].services)
        ]
        for id in ready:
            self._progress[id] = Progress.STARTING
        return sorted(ready)

    def _block(self, id: str, why: Failure) -> None:
        if self._progress[id] in _OPEN:
            self._progress[id] = Progress.BLOCKED
            self._failures[id] = why

    def _block_dependents(self, id: str) -> None:
        for user, needs in self._needs.items():
            if id in needs.services and self._progress[user] is Progress.WAITING:
                text = f"service startup blocked: {user} needs {id}, which did not start"
                self._block(user, Failure(text, self._failures[id].kind, False, {"id": user, "needs": id}))
                self._block_dependents(user)


class StopSequence:
    """Stops services level by level; the next level begins when nothing of the one before is left to wait for.

    Args:
        levels: ids, those to stop first in front.
    """

    def __init__(self, levels: Iterable[Iterable[str]]) -> None:
        self._levels = [list(level) for level in levels]
        self._waiting: set[str] = set()
        self._failed: dict[str, str] = {}

    @property
    def done(self) -> bool:
        """Tell whether all levels are through."""
        return not self._levels and not self._waiting

    @property
    def failed(self) -> Mapping[str, str]:
        """The services that did not stop -> the details."""
        return self._failed

    def next(self, at_rest: Callable[[str], bool]) -> list[str]:
        """Return the services to stop now, if a level is due; those at rest already are passed over."""
        while self._levels and not self._waiting:
            level = [id for id in self._levels.pop(0) if not at_rest(id)]
            self._waiting.update(level)
            if level:
                return level
        return []

    def update(self, update: ServiceUpdate) -> None:
        """Take notice of a change."""
        id, status = update.state.id, update.state.status
        if id not in self._waiting or status in (Status.STARTING, Status.RUNNING, Status.STOPPING):
            return
        self._waiting.discard(id)
        if status is Status.FAILED and update.retry_in is None:
            self._failed[id] = update.state.details or ""


def _why(id: str, update: ServiceUpdate) -> Failure:
    state, cause = update.state, update.failure
    if update.gone or state.status is Status.STOPPED:
        what = "removed" if update.gone else "stopped"
        return Failure(f"service {id} was {what} while it started", CANCELED, False, {"id": id})
    details = state.details or "it ended at once"
    if state.status is Status.FAILED:
        text = f"service {id} did not start: gave up after {state.retry_count} failures; the last: {details}"
        return Failure(text, TIMEOUT, False, {"id": id, "attempts": state.retry_count}, cause.stack if cause else "")
    kind = cause.kind if cause else CANCELED
    return Failure(f"service {id} did not start: {details}", kind, False, {"id": id}, cause.stack if cause else "")


def _closure(ids: Iterable[str], ahead: Callable[[str], Iterable[str]]) -> set[str]:
    seen: dict[str, None] = dict.fromkeys(ids)
    stack = list(seen)
    while stack:
        for id in ahead(stack.pop()):
            if id not in seen:
                seen[id] = None
                stack.append(id)
    return set(seen)


def _find_cycle(ids: Iterable[str], ahead: Callable[[str], Iterable[str]]) -> list[str]:
    """Return the ids along a circle, the first one again at its end; empty if there is none."""
    done: set[str] = set()
    for root in ids:
        path: list[str] = []
        walks = [iter([root])]
        while walks:
            id = next(walks[-1], None)
            if id is None:
                walks.pop()
                if path:
                    done.add(path.pop())
            elif id in path:
                return [*path[path.index(id) :], id]
            elif id not in done:
                path.append(id)
                walks.append(iter(ahead(id)))
    return []
