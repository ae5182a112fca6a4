"""Services that exist only in a test: what they do is decided by the test, and they remember what was done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from actors.actor import wait_for
from actors.clock import VirtualClock
from actors.errors import Failure
from actors.supervision import (
    ChildSpec,
    DriverEvent,
    Exited,
    Lifecycle,
    Report,
    RestartPolicy,
    RootSupervisor,
    ServiceSpec,
    ServiceUpdate,
    Started,
    StartFailed,
    TreeSpec,
    TreeSupervisor,
)

BOOM = Failure("boom", retryable=None)
FINAL = Failure("never again", retryable=False)


class Life:
    """A driver that starts and stops at once, unless its `Fake` says otherwise."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.alive = False
        self.ended = False
        self._report: Report = lambda event: None

    def start(self, report: Report) -> None:
        self._report = report
        self.fake.lives.append(self)
        self.fake.journal.append(("start", self.fake.id))
        answer = self.fake.on_start.pop(0) if self.fake.on_start else self.fake.always
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            self.report(answer)

    def stop(self, reason: str) -> None:
        self.fake.journal.append(("stop", self.fake.id))
        if self.fake.obeys_stop:
            self.report(Exited())

    def kill(self) -> None:
        self.fake.journal.append(("kill", self.fake.id))
        if self.fake.obeys_kill and (self.alive or self.fake.obeys_kill_at_start):
            self.report(Exited(Failure("terminated")))

    def report(self, event: DriverEvent) -> None:
        self.alive = isinstance(event, Started)
        self.ended = not self.alive
        self._report(event)


class Fake:
    """One service of a test.

    Attributes:
        on_start: what the next starts report, one each; None for no answer, an exception to raise it.
        always: what a start reports when `on_start` is used up.
        journal: every start, stop and kill, shared among the fakes of one test.
    """

    def __init__(self, id: str = "app:a", journal: list[tuple[str, str]] | None = None) -> None:
        self.id = id
        self.journal: list[tuple[str, str]] = journal if journal is not None else []
        self.lives: list[Life] = []
        self.on_start: list[DriverEvent | Exception | None] = []
        self.always: DriverEvent | Exception | None = Started()
        self.obeys_stop = True
        self.obeys_kill = True
        self.obeys_kill_at_start = True

    def driver(self) -> Life:
        return Life(self)

    @property
    def starts(self) -> int:
        return len(self.lives)

    @property
    def alive(self) -> int:
        return sum(life.alive for life in self.lives)

    def crash(self, failure: Failure | None = BOOM) -> None:
        self.lives[-1].report(Exited(failure))

    def fails(self, times: int, failure: Failure = BOOM) -> Fake:
        self.on_start += [StartFailed(failure)] * times
        return self

    def spec(self, *requires: str, restart: RestartPolicy | None = None, **lifecycle: Any) -> ServiceSpec:
        lifecycle.setdefault("auto_start", True)
        policy = restart if restart is not None else RestartPolicy(jitter=0.0)
        return ServiceSpec(self.id, self.driver, Lifecycle(restart=policy, **lifecycle), requires=requires)


class Family(dict[str, Fake]):
    """Several fakes with one journal, by the last part of their ids."""

    def __init__(self, names: str) -> None:
        self.journal: list[tuple[str, str]] = []
        super().__init__({name: Fake(f"app:{name}", self.journal) for name in names})

    def since(self) -> list[str]:
        """Return what was done since the last call, as words such as ``"+a"`` (start), ``"-a"`` (stop), ``"!a"``."""
        signs = {"start": "+", "stop": "-", "kill": "!"}
        done = [signs[what] + id.removeprefix("app:") for what, id in self.journal]
        self.journal.clear()
        return done


class Root:
    """A root supervisor with its records."""

    def __init__(self, clock: VirtualClock, references: Callable[[str], tuple[str, ...]] = lambda id: ()) -> None:
        self.clock = clock
        self.updates: list[ServiceUpdate] = []
        self.actor = RootSupervisor.launch(clock=clock, rng=Random(7), sink=self.updates.append, references=references)

    def start(self, *specs: ServiceSpec, settled: Any = None, done: Any = None) -> None:
        self.actor.start_batch(specs, settled=settled, done=done)
        self.clock.settle()

    def status(self, id: str = "app:a") -> str:
        state = self.actor.state(id)
        assert state is not None
        return state.status.value

    def history(self, id: str = "app:a") -> list[str]:
        return [update.state.status.value for update in self.updates if update.state.id == id]


@contextmanager
def running_root(clock: VirtualClock, **options: Any) -> Iterator[Root]:
    root = Root(clock, **options)
    try:
        yield root
    finally:
        wait_for(clock, lambda done: root.actor.shutdown(0.0, done))
        root.actor.stop()
        assert root.actor.join(10)


class Grove:
    """A tree supervisor with its records."""

    def __init__(self, clock: VirtualClock, spec: TreeSpec) -> None:
        self.clock = clock
        self.reports: list[DriverEvent] = []
        self.updates: list[ServiceUpdate] = []
        self.actor = TreeSupervisor.launch(
            spec, self.reports.append, clock=clock, rng=Random(7), sink=self.updates.append
        )
        clock.settle()

    def ask(self, call: Callable[..., Any], *args: Any) -> Any:
        return wait_for(self.clock, lambda done: call(*args, done))

    @property
    def ended(self) -> DriverEvent | None:
        last = self.reports[-1] if self.reports else None
        return None if isinstance(last, Started) else last


@contextmanager
def running_tree(clock: VirtualClock, *children: ChildSpec, **options: Any) -> Iterator[Grove]:
    grove = Grove(clock, TreeSpec("app:tree", children, **options))
    try:
        yield grove
    finally:
        grove.actor.kill()
        clock.advance(2.0)
        assert grove.actor.join(10)
