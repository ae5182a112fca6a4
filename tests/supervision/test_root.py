"""The root supervisor: services against virtual time."""

from __future__ import annotations

import logging
import threading
from random import Random
from typing import Any

import pytest

from actors.actor import wait_for
from actors.clock import VirtualClock
from actors.errors import CANCELED, CONFLICT, INVALID, NOT_FOUND, TIMEOUT, UNAVAILABLE, Failure
from actors.supervision import (
    BatchOutcome,
    Desired,
    Exited,
    RestartPolicy,
    RootSupervisor,
    ServiceSpec,
    ServiceUpdate,
    Started,
    StartFailed,
    Startup,
    Supervisor,
)
from actors.supervision.service import StartWanted, StopWanted

from .fakes import BOOM, FINAL, Fake, Family, Root, running_root

EXACT = RestartPolicy(jitter=0.0)


def _apply(root: Root, **changes: Any) -> BatchOutcome:
    return wait_for(root.clock, lambda done: root.actor.apply(**changes, done=done))


def _details(root: Root, id: str = "app:a") -> str | None:
    state = root.actor.state(id)
    assert state is not None
    return state.details


def test_a_service_that_starts_tells_each_of_its_states(clock: VirtualClock) -> None:
    fake = Fake()
    with running_root(clock) as root:
        outcome = _apply(root, added=[fake.spec()])
        assert outcome.ok
        assert outcome.started == ("app:a",)
        assert root.history() == ["starting", "running"]
        state = root.actor.state("app:a")
        assert state is not None
        assert (state.desired, state.retry_count, state.details) == (Desired.RUNNING, 0, None)
        assert state.started_at == clock.time()
        assert root.actor.states() == (state,)


def test_a_service_without_auto_start_waits_until_it_is_wanted(clock: VirtualClock) -> None:
    with running_root(clock) as root:
        fake = Fake()
        _apply(root, added=[fake.spec(auto_start=False)])
        assert root.status() == "unknown"
        assert root.history() == []
        assert wait_for(clock, lambda done: root.actor.start_service("app:a", done=done)).ok
        assert root.status() == "running"


@pytest.mark.parametrize(
    ("end", "status", "details"),
    [
        (None, "exited", None),
        (FINAL, "exited", "process failed: never again"),
        (Failure("host stopped", CANCELED), "exited", "process failed: host stopped"),
        (BOOM, "failed", "process failed: boom"),
        (Failure("x", retryable=True), "failed", "process failed: x"),
    ],
)
def test_only_errors_that_may_pass_restart_a_service(
    clock: VirtualClock, end: Failure | None, status: str, details: str | None
) -> None:
    fake = Fake()
    with running_root(clock) as root:
        root.start(fake.spec())
        fake.crash(end)
        clock.settle()
        assert (root.status(), _details(root)) == (status, details)
        clock.advance(3600.0)
        assert fake.starts == (2 if status == "failed" else 1)


def test_restarts_come_exactly_after_the_delays_of_the_formula(clock: VirtualClock) -> None:
    fake = Fake().fails(12)
    with running_root(clock) as root:
        root.start(fake.spec(restart=EXACT))
        for number, delay in enumerate([1, 2, 4, 8, 16, 32, 64, 90, 90, 90], 1):
            clock.advance(delay - 0.001)
            assert fake.starts == number
            clock.advance(0.001)
            assert fake.starts == number + 1


def test_the_jitter_of_a_seeded_generator_stays_within_its_bounds_and_is_the_same_each_time() -> None:
    def delays(seed: int) -> list[float | None]:
        clock = VirtualClock()
        with running_root(clock) as root:
            root.actor.rng = Random(seed)
            root.start(Fake().fails(50).spec(restart=RestartPolicy(initial_delay=4.0, backoff_factor=1.0, jitter=0.25)))
            clock.advance(1000.0)
            return [update.retry_in for update in root.updates if update.retry_in is not None]

    first = delays(1)
    assert len(first) == 50
    assert all(delay is not None and 3.0 <= delay <= 5.0 for delay in first)
    assert len(set(first)) == 50
    assert delays(1) == first
    assert delays(2) != first


@pytest.mark.parametrize("attempts", [1, 2, 4, 10])
def test_a_service_gives_up_after_max_attempts_with_one_restart_less(clock: VirtualClock, attempts: int) -> None:
    fake = Fake().fails(100)
    with running_root(clock) as root:
        outcome = _apply(root, added=[fake.spec(restart=RestartPolicy(max_attempts=attempts))])
        assert fake.starts == attempts
        assert outcome.failed["app:a"].kind == TIMEOUT
        assert [error.message for error in outcome.errors] == [outcome.failed["app:a"].message]
        clock.advance(10_000.0)
        assert fake.starts == attempts
        state = root.actor.state("app:a")
        assert state is not None
        assert (state.status, state.desired, state.retry_count) == ("failed", "running", attempts)
        assert root.actor.statistics().restarts == attempts - 1
        assert root.actor.statistics().failures == attempts
        assert root.actor.statistics().gave_up == 1


def test_dependents_keep_running_when_a_service_gives_up_later(clock: VirtualClock) -> None:
    family = Family("ab")
    with running_root(clock) as root:
        root.start(family["a"].spec(restart=RestartPolicy(max_attempts=1)), family["b"].spec("app:a"))
        family["a"].crash()
        clock.advance(100.0)
        assert (root.status("app:a"), root.status("app:b")) == ("failed", "running")


def test_a_stable_run_forgets_the_failures_before_it_and_a_shorter_one_does_not(clock: VirtualClock) -> None:
    fake = Fake()
    with running_root(clock) as root:
        root.start(fake.spec(restart=RestartPolicy(max_attempts=3, jitter=0.0), stable_threshold=5.0))
        for _ in range(10):
            clock.advance(5.0)
            fake.crash()
            clock.advance(1.0)
            assert root.status() == "running"
        clock.advance(3.999)
        fake.crash()
        clock.advance(2.0)
        fake.crash()
        clock.advance(100.0)
        assert root.status() == "failed"


def test_a_start_that_may_pass_is_retried_and_another_one_is_final(clock: VirtualClock) -> None:
    family = Family("ab")
    family["a"].fails(1, Failure("host is starting", UNAVAILABLE))
    family["b"].fails(1, Failure("no such entry", NOT_FOUND, retryable=False))
    with running_root(clock) as root:
        outcome = _apply(root, added=[family["a"].spec(), family["b"].spec()])
        assert outcome.started == ("app:a",)
        assert outcome.failed["app:b"].kind == NOT_FOUND
        assert root.status("app:b") == "exited"


def test_a_start_that_raises_is_a_failed_start(clock: VirtualClock) -> None:
    fake = Fake()
    fake.on_start = [KeyError("bug")]
    with running_root(clock) as root:
        root.start(fake.spec())
        assert root.status() == "failed"
        assert "KeyError" in (_details(root) or "")
        clock.advance(1.0)
        assert root.status() == "running"


def test_a_start_that_raises_and_comes_up_all_the_same_is_killed(clock: VirtualClock) -> None:
    fake = Fake()
    fake.on_start = [KeyError("bug")]
    with running_root(clock) as root:
        root.start(fake.spec())
        fake.lives[0].report(Started())
        clock.settle()
        assert fake.alive == 0


def test_a_start_without_an_answer_times_out_is_killed_and_retried(clock: VirtualClock) -> None:
    fake = Fake()
    fake.on_start = [None]
    with running_root(clock) as root:
        root.start(fake.spec(start_timeout=4.0))
        clock.advance(4.0)
        assert (root.status(), _details(root)) == ("failed", "start timeout")
        assert ("kill", "app:a") in fake.journal
        clock.advance(1.0)
        assert root.status() == "running"


def test_an_attempt_that_comes_up_after_its_time_out_is_killed_and_not_leaked(clock: VirtualClock) -> None:
    fake = Fake()
    fake.on_start = [None]
    fake.obeys_kill = False
    with running_root(clock) as root:
        root.start(fake.spec(start_timeout=4.0))
        clock.advance(6.0)
        assert fake.starts == 2
        fake.obeys_kill = True
        fake.lives[0].report(Started())
        clock.settle()
        assert [life.alive for life in fake.lives] == [False, True]
        assert root.status() == "running"


def test_late_reports_of_an_earlier_life_are_ignored(clock: VirtualClock) -> None:
    fake = Fake()
    with running_root(clock) as root:
        root.start(fake.spec())
        fake.crash()
        clock.advance(1.0)
        fake.lives[0].report(Exited(FINAL))
        fake.lives[0].report(StartFailed(FINAL))
        clock.settle()
        assert root.status() == "running"


def test_reports_may_come_from_any_thread(clock: VirtualClock) -> None:
    fake = Fake()
    with running_root(clock) as root:
        root.start(fake.spec())
        thread = threading.Thread(target=fake.crash)
        thread.start()
        thread.join(10)
        clock.settle()
        assert root.status() == "failed"


def test_a_graceful_stop_ends_stopped_whatever_the_service_answers(clock: VirtualClock) -> None:
    fake = Fake()
    fake.obeys_stop = False
    with running_root(clock) as root:
        root.start(fake.spec())
        root.actor.stop_service("app:a")
        clock.advance(5.0)
        assert root.status() == "stopping"
        fake.crash()
        clock.settle()
        assert (root.status(), _details(root)) == ("stopped", None)
        assert root.history() == ["starting", "running", "stopping", "stopped"]


def test_a_service_that_ignores_the_stop_is_killed_after_its_time_out(clock: VirtualClock) -> None:
    fake = Fake()
    fake.obeys_stop = False
    with running_root(clock) as root:
        root.start(fake.spec(stop_timeout=3.0))
        outcome = wait_for(clock, lambda done: root.actor.stop_service("app:a", done))
        assert clock.monotonic() == 3.0
        assert outcome.ok
        assert (root.status(), _details(root)) == ("stopped", "killed after stop timeout")
        assert root.actor.statistics().killed == 1


def test_a_service_that_nothing_ends_is_a_failed_stop_one_second_after_the_kill(clock: VirtualClock) -> None:
    fake = Fake()
    fake.obeys_stop = fake.obeys_kill = False
    with running_root(clock) as root:
        root.start(fake.spec())
        outcome = wait_for(clock, lambda done: root.actor.stop_service("app:a", done))
        assert clock.monotonic() == 11.0
        assert outcome.failed == {"app:a": "stop timeout after 10s"}
        assert (root.status(), _details(root)) == ("failed", "stop timeout after 10s")
        fake.obeys_kill = True


def test_a_stop_drops_a_retry_that_waits(clock: VirtualClock) -> None:
    fake = Fake().fails(1)
    with running_root(clock) as root:
        root.start(fake.spec())
        root.actor.stop_service("app:a")
        clock.advance(100.0)
        assert (root.status(), fake.starts) == ("stopped", 1)


def test_a_start_from_outside_resets_the_count_and_does_not_wait_for_the_retry(clock: VirtualClock) -> None:
    fake = Fake().fails(3)
    with running_root(clock) as root:
        root.start(fake.spec())
        clock.advance(3.0)
        assert fake.starts == 3
        root.actor.start_service("app:a")
        clock.settle()
        state = root.actor.state("app:a")
        assert state is not None
        assert (state.status, state.retry_count) == ("running", 0)


def test_a_start_after_giving_up_has_all_its_attempts_again(clock: VirtualClock) -> None:
    fake = Fake().fails(6)
    with running_root(clock) as root:
        root.start(fake.spec(restart=RestartPolicy(max_attempts=3)))
        clock.advance(100.0)
        assert fake.starts == 3
        assert not wait_for(clock, lambda done: root.actor.start_service("app:a", done=done)).ok
        assert fake.starts == 6


def test_a_start_of_a_service_starts_what_it_needs_and_a_stop_stops_what_needs_it(clock: VirtualClock) -> None:
    family = Family("abcd")
    specs = [
        family["a"].spec(auto_start=False),
        family["b"].spec("app:a", auto_start=False),
        family["c"].spec("app:b", auto_start=False),
        family["d"].spec("app:a"),
    ]
    with running_root(clock) as root:
        _apply(root, added=specs)
        assert family.since() == ["+a", "+d"]
        wait_for(clock, lambda done: root.actor.start_service("app:c", done=done))
        assert family.since() == ["+b", "+c"]
        assert wait_for(clock, lambda done: root.actor.stop_service("app:b", done)).ok
        assert family.since() == ["-c", "-b"]
        assert [root.status(f"app:{name}") for name in "abcd"] == ["running", "stopped", "stopped", "running"]


def test_an_unknown_service_is_told_and_ignored(clock: VirtualClock) -> None:
    with running_root(clock) as root:
        started = wait_for(clock, lambda done: root.actor.start_service("app:no", done=done))
        stopped = wait_for(clock, lambda done: root.actor.stop_service("app:no", done))
        assert [error.kind for error in started.errors] == [NOT_FOUND]
        assert stopped.error is not None
        assert stopped.error.kind == NOT_FOUND


def test_a_batch_is_settled_when_a_required_service_waits_for_its_retry_and_done_when_it_runs(
    clock: VirtualClock,
) -> None:
    family = Family("ab")
    family["a"].fails(2)
    told: list[tuple[str, float, BatchOutcome]] = []
    with running_root(clock) as root:
        root.start(
            family["a"].spec(),
            family["b"].spec("app:a"),
            settled=lambda outcome: told.append(("settled", clock.monotonic(), outcome)),
            done=lambda outcome: told.append(("done", clock.monotonic(), outcome)),
        )
        assert [(what, when) for what, when, _ in told] == [("settled", 0.0)]
        assert told[0][2].retrying == ("app:a", "app:b")
        clock.advance(10.0)
        assert [(what, when) for what, when, _ in told] == [("settled", 0.0), ("done", 3.0)]
        assert told[1][2].started == ("app:a", "app:b")


def test_a_required_service_that_never_starts_does_not_hold_up_later_batches(clock: VirtualClock) -> None:
    family = Family("abc")
    family["a"].always = StartFailed(BOOM)
    done: list[BatchOutcome] = []
    with running_root(clock) as root:
        root.start(family["a"].spec(), done=done.append)
        assert _apply(root, added=[family["b"].spec()]).ok
        assert done == []
        root.start(family["c"].spec("app:a"), done=done.append)
        clock.advance(500.0)
        assert done == []
        assert family["c"].starts == 0
        family["a"].always = Started()
        clock.advance(100.0)
        assert len(done) == 2
        assert family["c"].alive == 1


def test_a_dependent_that_joins_does_not_hurry_a_service_that_waits_for_its_retry(clock: VirtualClock) -> None:
    family = Family("ab")
    family["a"].fails(3)
    with running_root(clock) as root:
        root.start(family["a"].spec())
        clock.advance(3.5)
        assert family["a"].starts == 3
        root.start(family["b"].spec("app:a"))
        assert family["a"].starts == 3
        clock.advance(3.5)
        assert family["b"].alive == 1


def test_an_optional_service_that_fails_is_no_error_of_its_batch(clock: VirtualClock) -> None:
    family = Family("ab")
    family["a"].fails(1, FINAL)
    with running_root(clock) as root:
        outcome = _apply(root, added=[family["a"].spec(startup=Startup.OPTIONAL), family["b"].spec()])
        assert outcome.ok
        assert set(outcome.failed) == {"app:a"}


def test_a_circle_starts_nothing_and_everything_stays_up(clock: VirtualClock) -> None:
    family = Family("abc")
    with running_root(clock) as root:
        outcome = _apply(root, added=[family["a"].spec("app:b"), family["b"].spec("app:a"), family["c"].spec()])
        assert [error.kind for error in outcome.errors] == [INVALID]
        assert family.since() == []
        assert _apply(root, added=[Fake("app:x").spec()]).ok


def test_references_through_other_entries_give_the_order_too(clock: VirtualClock) -> None:
    family = Family("ab")
    links = {"app:f": ("app:b",)}
    with running_root(clock, references=lambda id: links.get(id, ())) as root:
        spec = family["a"].spec()
        root.start(
            ServiceSpec(spec.id, spec.driver, spec.lifecycle, references=("app:f", "app:nowhere")), family["b"].spec()
        )
        assert family.since() == ["+b", "+a"]


def test_a_shutdown_stops_dependents_first_and_equals_beside_each_other(clock: VirtualClock) -> None:
    family = Family("abcd")
    family["b"].obeys_stop = family["c"].obeys_stop = False
    with running_root(clock) as root:
        root.start(
            family["a"].spec(),
            family["b"].spec("app:a", stop_timeout=4.0),
            family["c"].spec("app:a", stop_timeout=2.0),
            family["d"].spec("app:b", "app:c"),
        )
        family.since()
        outcome = wait_for(clock, lambda done: root.actor.shutdown(30.0, done))
        assert family.since() == ["-d", "-b", "-c", "!c", "!b", "-a"]
        assert clock.monotonic() == 4.0
        assert outcome.ok
        assert {state.status for state in root.actor.states()} == {"stopped"}


def test_a_shutdown_calls_off_starts_and_drops_retries(clock: VirtualClock) -> None:
    family = Family("abc")
    family["a"].always = None
    family["b"].fails(9)
    done: list[BatchOutcome] = []
    with running_root(clock) as root:
        root.start(family["a"].spec(), family["b"].spec(), family["c"].spec("app:a"), done=done.append)
        assert wait_for(clock, lambda done: root.actor.shutdown(30.0, done)).ok
        assert [error.kind for error in done[0].errors] == [CANCELED]
        clock.advance(1000.0)
        assert [fake.starts for fake in family.values()] == [1, 1, 0]
        assert [root.status(f"app:{name}") for name in "abc"] == ["stopped", "stopped", "unknown"]


def test_a_shutdown_drops_a_retry_before_it_is_the_turn_of_its_service_to_stop(clock: VirtualClock) -> None:
    family = Family("ab")
    family["b"].obeys_stop = False
    with running_root(clock) as root:
        root.start(family["a"].spec(), family["b"].spec("app:a"))
        family["a"].crash()
        clock.settle()
        assert wait_for(clock, lambda done: root.actor.shutdown(30.0, done)).ok
        assert clock.monotonic() == 10.0
        assert family["a"].starts == 1


def test_a_shutdown_kills_what_still_lives_at_its_time_limit(clock: VirtualClock) -> None:
    family = Family("abc")
    for fake in family.values():
        fake.obeys_stop = False
    with running_root(clock) as root:
        root.start(family["a"].spec(), family["b"].spec("app:a"), family["c"].spec("app:b"))
        outcome = wait_for(clock, lambda done: root.actor.shutdown(15.0, done))
        assert clock.monotonic() == 15.0
        assert outcome.timed_out
        assert [fake.alive for fake in family.values()] == [0, 0, 0]


def test_a_second_shutdown_may_end_it_at_once(clock: VirtualClock) -> None:
    fake = Fake()
    fake.obeys_stop = False
    first: list[Any] = []
    with running_root(clock) as root:
        root.start(fake.spec())
        root.actor.shutdown(30.0, first.append)
        clock.advance(1.0)
        assert first == []
        assert wait_for(clock, lambda done: root.actor.shutdown(0.0, done)).timed_out
        assert clock.monotonic() == 1.0
        assert len(first) == 1
        assert fake.alive == 0


def test_nothing_is_started_after_a_shutdown(clock: VirtualClock) -> None:
    with running_root(clock) as root:
        wait_for(clock, lambda done: root.actor.shutdown(1.0, done))
        assert [error.kind for error in _apply(root, added=[Fake().spec()]).errors] == [UNAVAILABLE]
        assert root.actor.states() == ()


def test_requests_to_a_supervisor_that_has_ended_are_answered(clock: VirtualClock) -> None:
    with running_root(clock) as root:
        root.actor.stop()
        root.actor.join(10)
        assert [error.kind for error in _apply(root, added=[Fake().spec()]).errors] == [UNAVAILABLE]
        stopped = wait_for(clock, lambda done: root.actor.stop_service("app:a", done))
        assert stopped.error is not None


def test_a_supervisor_that_stops_kills_what_lives_and_what_comes_up_later(clock: VirtualClock) -> None:
    family = Family("ab")
    family["b"].on_start = [None]
    root = RootSupervisor.launch(clock=clock)
    root.start_batch([family["a"].spec(), family["b"].spec()])
    clock.settle()
    family["b"].obeys_kill = False
    root.stop()
    assert root.join(10)
    assert family["a"].alive == 0
    family["b"].obeys_kill = True
    family["b"].lives[0].report(Started())
    assert family["b"].alive == 0


def test_a_removed_service_is_stopped_and_forgotten_and_its_dependents_stay(clock: VirtualClock) -> None:
    family = Family("ab")
    with running_root(clock, references=lambda id: ()) as root:
        spec = family["b"].spec()
        root.start(family["a"].spec(), ServiceSpec(spec.id, spec.driver, spec.lifecycle, references=("app:a",)))
        assert _apply(root, removed=["app:a"]).ok
        assert root.actor.state("app:a") is None
        assert root.updates[-1].gone
        assert (family["a"].alive, root.status("app:b")) == (0, "running")


def test_removing_what_a_running_service_requires_is_a_conflict_and_changes_nothing(clock: VirtualClock) -> None:
    family = Family("abc")
    with running_root(clock) as root:
        root.start(family["a"].spec(), family["b"].spec("app:a"))
        outcome = _apply(root, removed=["app:a"], added=[family["c"].spec()])
        assert [error.kind for error in outcome.errors] == [CONFLICT]
        assert [error.kind for error in root.actor.removal_conflicts(["app:a"])] == [CONFLICT]
        assert root.actor.state("app:c") is None
        assert root.status("app:a") == "running"
        family.since()
        assert _apply(root, removed=["app:a", "app:b"]).ok
        assert family.since() == ["-b", "-a"]


def test_a_service_that_is_removed_and_added_again_begins_anew(clock: VirtualClock) -> None:
    old, new = Fake(), Fake()
    with running_root(clock) as root:
        root.start(old.spec())
        assert _apply(root, removed=["app:a"], added=[new.spec()]).ok
        assert (old.alive, new.alive) == (0, 1)


def test_removing_a_service_that_is_being_started_fails_its_batch(clock: VirtualClock) -> None:
    family = Family("ab")
    family["a"].always = None
    done: list[BatchOutcome] = []
    with running_root(clock) as root:
        root.start(family["a"].spec(), family["b"].spec("app:a"), done=done.append)
        _apply(root, removed=["app:a"])
        assert set(done[0].failed) == {"app:a"}
        assert set(done[0].blocked) == {"app:b"}


def test_a_service_that_is_removed_while_it_stops_is_not_started_again_by_a_request_in_between(
    clock: VirtualClock,
) -> None:
    fake = Fake()
    fake.obeys_stop = False
    with running_root(clock) as root:
        root.start(fake.spec())
        root.actor.apply(removed=["app:a"])
        outcomes: list[BatchOutcome] = []
        root.actor.start_service("app:a", done=outcomes.append)
        clock.settle()
        fake.crash()
        clock.settle()
        assert fake.starts == 1
        assert root.actor.state("app:a") is None
        assert [update.gone for update in root.updates].index(True) == len(root.updates) - 1
        assert not outcomes[0].ok


def test_removing_a_service_that_waits_for_its_turn_lets_its_batch_end(clock: VirtualClock) -> None:
    family = Family("abc")
    family["a"].always = None
    done: list[BatchOutcome] = []
    with running_root(clock) as root:
        root.start(family["a"].spec(), family["b"].spec("app:a"), done=done.append)
        assert _apply(root, removed=["app:b"]).ok
        family["a"].lives[0].report(Started())
        clock.settle()
        assert done[0].started == ("app:a",)
        assert "removed" in done[0].failed["app:b"].message
        assert family["b"].starts == 0


def test_an_update_holds_from_the_next_start_on_and_auto_start_turned_on_starts_it(clock: VirtualClock) -> None:
    old, new, late = Fake(), Fake(), Fake("app:late")
    with running_root(clock) as root:
        root.start(old.spec(restart=EXACT), late.spec(auto_start=False))
        _apply(
            root,
            updated=[new.spec(restart=RestartPolicy(initial_delay=30.0, jitter=0.0)), late.spec(auto_start=True)],
        )
        assert (old.starts, new.starts, late.starts) == (1, 0, 1)
        old.crash()
        clock.advance(29.9)
        assert new.starts == 0
        clock.advance(0.1)
        assert (old.starts, new.starts) == (1, 1)


def test_errors_of_drivers_and_callbacks_harm_nobody_else(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Bad:
        def start(self, report: Any) -> None:
            report(Started())

        def stop(self, reason: str) -> None:
            raise RuntimeError("bad stop")

        def kill(self) -> None:
            raise RuntimeError("bad kill")

    fake = Fake("app:good")

    def bad_callback(outcome: object) -> None:
        raise RuntimeError("bad callback")

    with running_root(clock) as root:
        root.start(ServiceSpec("app:bad", Bad, fake.spec().lifecycle), fake.spec(), done=bad_callback)
        outcome = wait_for(clock, lambda done: root.actor.stop_service("app:bad", done))
        assert set(outcome.failed) == {"app:bad"}
        assert root.status("app:good") == "running"
    assert all(text in caplog.text for text in ("bad stop", "bad kill", "bad callback"))


def test_every_failure_restart_and_giving_up_is_one_record_with_fields(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake = Fake()
    fake.always = Started("{n@h|7}")
    with running_root(clock) as root:
        root.start(fake.spec(restart=RestartPolicy(max_attempts=2, jitter=0.0)))
        fake.crash()
        clock.advance(1.0)
        fake.crash()
        clock.settle()
        records = [record for record in caplog.records if record.name == "actors.supervision"]
        assert [(record.levelname, record.__dict__["event"]) for record in records] == [
            ("ERROR", "failed"),
            ("INFO", "restarting"),
            ("ERROR", "failed"),
            ("ERROR", "gave up"),
        ]
        assert {record.__dict__["entry"] for record in records} == {"app:a"}
        assert records[0].__dict__["pid"] == "{n@h|7}"
        assert records[0].__dict__["retry_in"] == 1.0
        assert records[0].__dict__["reason"] == "boom"


@pytest.mark.parametrize(
    ("end", "level"),
    [
        (None, "INFO"),
        (Failure("x", CANCELED), "WARNING"),
        (Failure("process terminated"), "WARNING"),
        (BOOM, "ERROR"),
        (FINAL, "ERROR"),
    ],
)
def test_the_level_of_an_exit_is_that_of_its_reason(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture, end: Failure | None, level: str
) -> None:
    caplog.set_level(logging.INFO)
    fake = Fake()
    with running_root(clock) as root:
        root.start(fake.spec())
        fake.crash(end)
        clock.settle()
        assert [record.levelname for record in caplog.records if record.name == "actors.supervision"] == [level]


def test_what_an_update_leads_to_waits_until_what_it_came_with_is_done(clock: VirtualClock) -> None:
    class Hasty(Supervisor):
        def on_update(self, update: ServiceUpdate) -> None:
            if update.state.status == "starting":
                self.give(update.state.id, StopWanted())

    fake = Fake()
    supervisor = Hasty.launch(clock=clock)
    supervisor.post(lambda: (supervisor.add_cell(fake.spec()), supervisor.give("app:a", StartWanted())))
    clock.settle()
    supervisor.stop()
    assert supervisor.join(10)
    # the second stop answers the start's success
    assert fake.journal == [("start", "app:a"), ("stop", "app:a"), ("stop", "app:a")]
    assert [state.status for state in supervisor.states()] == ["stopped"]


def test_a_supervisor_is_usable_by_itself(clock: VirtualClock) -> None:
    supervisor = Supervisor.launch(clock=clock, name="alone")
    assert supervisor.states() == ()
    supervisor.stop()
    assert supervisor.join(10)
