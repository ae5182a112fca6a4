"""Supervision under anything that may happen, in any order, against its invariants."""

from __future__ import annotations

import logging
from collections import deque
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.actor import wait_for
from actors.clock import VirtualClock
from actors.errors import CANCELED, Failure
from actors.supervision import (
    ChildSpec,
    Exited,
    Restart,
    RestartPolicy,
    RootSupervisor,
    ServiceUpdate,
    Started,
    StartFailed,
    Strategy,
    TreeSpec,
    TreeSupervisor,
)
from actors.supervision.strategy import ChildPhase

from .fakes import BOOM, FINAL, Fake

ENDS = st.sampled_from([None, BOOM, FINAL, Failure("canceled", CANCELED), Failure("r", retryable=True)])
NAMES = st.sampled_from(["a", "b", "c"])
SHORT = st.sampled_from([0.0, 0.3, 1.0, 4.0, 5.0, 11.0, 60.0])
UP = ("starting", "running", "stopping")


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "actors")


class RootMachine(RuleBasedStateMachine):
    """Three services, c on b on a, whose lives obey, fail, hang and come late as it pleases."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        self.updates: list[ServiceUpdate] = []
        self.actor = RootSupervisor.launch(clock=self.clock, rng=Random(3), sink=self.updates.append)
        self.fakes = {name: Fake(f"app:{name}") for name in "abc"}
        self.outcomes: list[Any] = []
        self.asked = 0

    @initialize(
        attempts=st.sampled_from([0, 1, 3]), jitter=st.sampled_from([0.0, 0.2]), stable=st.sampled_from([0.0, 5.0])
    )
    def begin(self, attempts: int, jitter: float, stable: float) -> None:
        self.policy = RestartPolicy(initial_delay=0.5, max_delay=8.0, jitter=jitter, max_attempts=attempts)
        options: dict[str, Any] = {"restart": self.policy, "stable_threshold": stable}
        specs = [
            self.fakes["a"].spec(**options),
            self.fakes["b"].spec("app:a", **options),
            self.fakes["c"].spec("app:b", **options),
        ]
        self.actor.start_batch(specs)
        self.clock.settle()

    @rule(name=NAMES)
    def start(self, name: str) -> None:
        self.asked += 1
        self.actor.start_service(f"app:{name}", settled=self.outcomes.append)
        self.clock.settle()

    @rule(name=NAMES)
    def stop(self, name: str) -> None:
        self.asked += 1
        self.actor.stop_service(f"app:{name}", self.outcomes.append)
        self.clock.settle()

    @rule(name=NAMES, end=ENDS)
    def end(self, name: str, end: Failure | None) -> None:
        fake = self.fakes[name]
        for life in fake.lives:
            if life.alive:
                life.report(Exited(end))
        self.clock.settle()

    @rule(name=NAMES, data=st.data())
    def report_late(self, name: str, data: st.DataObject) -> None:
        lives = [life for life in self.fakes[name].lives if not life.alive and not life.ended]
        if lives:
            life = data.draw(st.sampled_from(lives))
            life.report(data.draw(st.sampled_from([Started(), StartFailed(BOOM), StartFailed(FINAL)])))
            self.clock.settle()

    @rule(name=NAMES, answer=st.sampled_from([Started(), StartFailed(BOOM), StartFailed(FINAL), None]))
    def change_starts(self, name: str, answer: Any) -> None:
        self.fakes[name].always = answer

    @rule(name=NAMES, obeys=st.booleans())
    def change_stops(self, name: str, obeys: bool) -> None:
        self.fakes[name].obeys_stop = obeys

    @rule(name=NAMES, obeys=st.booleans())
    def change_kills_at_start(self, name: str, obeys: bool) -> None:
        self.fakes[name].obeys_kill_at_start = obeys

    @rule(seconds=SHORT)
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def never_two_lives_of_a_service(self) -> None:
        assert all(fake.alive <= 1 for fake in self.fakes.values())

    @invariant()
    def what_lives_is_known_to_live(self) -> None:
        for fake in self.fakes.values():
            state = self.actor.state(fake.id)
            if fake.alive:
                assert state is not None
                assert state.status in UP
            if state is not None and state.status == "running":
                assert fake.alive == 1

    @invariant()
    def delays_are_those_of_the_formula(self) -> None:
        for update in self.updates:
            if update.retry_in is None or update.state.status != "failed":
                continue
            base = min(8.0, 0.5 * 2.0 ** (update.state.retry_count - 1))
            jitter = self.policy.jitter
            assert base * (1 - jitter) - 1e-9 <= update.retry_in <= base * (1 + jitter) + 1e-9
        self.updates.clear()

    @invariant()
    def nobody_has_more_failures_than_attempts(self) -> None:
        if self.policy.max_attempts:
            assert all(state.retry_count <= self.policy.max_attempts for state in self.actor.states())

    def teardown(self) -> None:
        outcome = wait_for(self.clock, lambda done: self.actor.shutdown(30.0, done))
        assert self.clock.monotonic() < 1e6
        assert all(fake.alive == 0 for fake in self.fakes.values())
        assert all(state.status not in UP for state in self.actor.states())
        deaf = {fake.id for fake in self.fakes.values() if not all(life.ended for life in fake.lives)}
        assert set(outcome.failed) <= deaf
        self.clock.advance(1000.0)
        assert len(self.outcomes) == self.asked
        self.actor.stop()
        assert self.actor.join(10)
        for life in [life for fake in self.fakes.values() for life in fake.lives if not life.ended]:
            life.report(Started())
        assert all(fake.alive == 0 for fake in self.fakes.values())


class TreeMachine(RuleBasedStateMachine):
    """A tree of five children, with calls, ends and failing starts as it pleases."""

    @initialize(
        strategy=st.sampled_from(list(Strategy)),
        types=st.lists(st.sampled_from(list(Restart)), min_size=3, max_size=3),
        intensity=st.integers(0, 4),
        delay=st.sampled_from([0.0, 2.0]),
    )
    def begin(self, strategy: Strategy, types: list[Restart], intensity: int, delay: float) -> None:
        self.clock = VirtualClock()
        self.intensity = intensity
        self.journal: list[tuple[str, str]] = []
        self.fakes = {name: Fake(f"app:{name}", self.journal) for name in "abc"}
        delays = RestartPolicy(initial_delay=delay, jitter=0.0) if delay else None
        children = [ChildSpec(self.fakes[name].spec(), type, delays) for name, type in zip("abc", types, strict=True)]
        self.reports: list[Any] = []
        self.restarts: deque[float] = deque()
        spec = TreeSpec("app:tree", tuple(children), strategy, intensity, 10.0)
        self.actor = TreeSupervisor(spec, self.reports.append, clock=self.clock, rng=Random(5))
        tally = self.actor.tally

        def note(what: str) -> None:
            tally(what)
            if what == "restarting":
                self.restarts.append(self.clock.monotonic())

        self.actor.tally = note  # type: ignore[method-assign]
        self.actor._start_actor_loop()
        self.clock.settle()

    @property
    def ended(self) -> bool:
        return any(not isinstance(report, Started) for report in self.reports)

    @rule(name=NAMES, end=ENDS)
    def end(self, name: str, end: Failure | None) -> None:
        for life in self.fakes[name].lives:
            if life.alive:
                life.report(Exited(end))
        self.clock.settle()

    @rule(names=st.lists(NAMES, unique=True), end=ENDS)
    def end_several_at_once(self, names: list[str], end: Failure | None) -> None:
        for name in names:
            for life in self.fakes[name].lives:
                if life.alive:
                    life.report(Exited(end))
        self.clock.settle()

    @rule(name=NAMES, answers=st.lists(st.sampled_from([Started(), StartFailed(BOOM), None]), max_size=3))
    def change_starts(self, name: str, answers: list[Any]) -> None:
        self.fakes[name].on_start = answers

    @rule(name=NAMES)
    def answer_a_start(self, name: str) -> None:
        lives = self.fakes[name].lives
        if lives and not lives[-1].ended and not lives[-1].alive:
            lives[-1].report(Started())
            self.clock.settle()

    @rule(name=NAMES, call=st.sampled_from(["start_child", "stop_child", "remove_child"]))
    def call(self, name: str, call: str) -> None:
        getattr(self.actor, call)(f"app:{name}")
        self.clock.settle()

    @rule(name=NAMES, restart=st.sampled_from(list(Restart)))
    def add(self, name: str, restart: Restart) -> None:
        self.actor.start_child(ChildSpec(self.fakes[name].spec(), restart))
        self.clock.settle()

    @rule(name=NAMES, obeys=st.booleans())
    def change_stops(self, name: str, obeys: bool) -> None:
        self.fakes[name].obeys_stop = obeys

    @rule(seconds=SHORT)
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.ended)
    @rule()
    def after_the_end(self) -> None:
        assert self.actor.join(10)

    @invariant()
    def never_two_lives_of_a_child(self) -> None:
        assert all(fake.alive <= 1 for fake in getattr(self, "fakes", {}).values())

    @invariant()
    def restarts_stay_within_the_intensity(self) -> None:
        times = list(getattr(self, "restarts", ()))
        for index, time in enumerate(times):
            assert sum(time <= other <= time + 10.0 for other in times[index:]) <= self.intensity

    @invariant()
    def a_tree_that_has_ended_has_left_nothing(self) -> None:
        if getattr(self, "reports", None) and self.ended:
            assert all(fake.alive == 0 for fake in self.fakes.values())
            assert sum(not isinstance(report, Started) for report in self.reports) == 1

    @invariant()
    def the_tree_and_the_services_agree(self) -> None:
        if not hasattr(self, "actor") or self.ended:
            return
        for child in wait_for(self.clock, self.actor.list_children):
            alive = next(fake for fake in self.fakes.values() if fake.id == child.id).alive
            assert alive == (child.phase in (ChildPhase.RUNNING, ChildPhase.STOPPING)) or child.phase in (
                ChildPhase.STARTING,
                ChildPhase.STOPPING,
            )

    @invariant()
    def a_permanent_child_that_is_down_was_stopped_or_waits(self) -> None:
        if hasattr(self, "actor") and not self.ended:
            assert self.actor.deadline is None or self.actor.deadline >= self.clock.monotonic()

    def teardown(self) -> None:
        if not hasattr(self, "actor"):
            return
        self.actor.shutdown()
        self.clock.advance(200.0)
        assert self.ended
        assert self.actor.join(10)
        assert all(fake.alive == 0 for fake in self.fakes.values())


SETTINGS = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestRoot = RootMachine.TestCase
TestRoot.settings = SETTINGS
TestTree = TreeMachine.TestCase
TestTree.settings = SETTINGS
