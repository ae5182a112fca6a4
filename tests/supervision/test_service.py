"""The state machine of one service, transition by transition."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from actors.errors import CANCELED, Failure
from actors.supervision import Desired, Exited, Lifecycle, RestartPolicy, Started, StartFailed, Status
from actors.supervision.service import (
    AlarmDue,
    AskStop,
    Event,
    Kill,
    KillWanted,
    Launch,
    Moment,
    Note,
    NoteKind,
    Phase,
    Reported,
    ServiceUpdate,
    StartWanted,
    StopWanted,
    duration_text,
    is_terminal,
    new_service,
    step,
)

BOOM = Failure("boom")
FINAL = Failure("final", retryable=False)
START, STOP = StartWanted(), StopWanted()


class Machine:
    """A service with a hand on its clock."""

    def __init__(self, **lifecycle: Any) -> None:
        lifecycle.setdefault("restart", RestartPolicy(jitter=0.0))
        self.lifecycle = Lifecycle(**lifecycle)
        self.now = 0.0
        self.service = new_service("app:a", self.moment)
        self.actions: list[Any] = []

    @property
    def moment(self) -> Moment:
        return Moment(self.now, 1000.0 + self.now)

    def give(self, *events: Event) -> Machine:
        for event in events:
            self.service, actions = step(self.service, event, self.moment, self.lifecycle, Random(1))
            self.actions = [action for action in actions if not isinstance(action, (ServiceUpdate, Note))]
            self.statuses = [action.state.status for action in actions if isinstance(action, ServiceUpdate)]
            self.notes = [action.kind for action in actions if isinstance(action, Note)]
        return self

    def report(self, event: Any) -> Machine:
        return self.give(Reported(self.service.life, event))

    def alarm(self) -> Machine:
        assert self.service.alarm is not None
        self.now = self.service.alarm
        return self.give(AlarmDue())

    def after(self, seconds: float) -> Machine:
        self.now += seconds
        return self

    def run(self) -> Machine:
        return self.give(START).report(Started())

    @property
    def status(self) -> Status:
        return self.service.shown.status


def _unknown() -> Machine:
    return Machine()


def _starting() -> Machine:
    return Machine().give(START)


def _running() -> Machine:
    return Machine().run()


def _stopping() -> Machine:
    return _running().give(STOP)


def _stopped() -> Machine:
    return _stopping().report(Exited())


def _exited() -> Machine:
    return _running().report(Exited())


def _retrying() -> Machine:
    return _running().report(Exited(BOOM))


def _gave_up() -> Machine:
    return Machine(restart=RestartPolicy(max_attempts=1)).run().report(Exited(BOOM))


STATES = {
    "unknown": _unknown,
    "starting": _starting,
    "running": _running,
    "stopping": _stopping,
    "stopped": _stopped,
    "exited": _exited,
    "retrying": _retrying,
    "gave up": _gave_up,
}


@pytest.mark.parametrize(
    ("state", "event", "statuses", "actions"),
    [
        ("unknown", START, ["starting"], [Launch(1)]),
        ("stopped", START, ["starting"], [Launch(2)]),
        ("exited", START, ["starting"], [Launch(2)]),
        ("gave up", START, ["starting"], [Launch(2)]),
        ("retrying", START, ["starting"], [Launch(2)]),
        ("running", START, [], []),
        ("starting", START, [], []),
        ("starting", Reported(1, Started()), ["running"], []),
        ("starting", Reported(1, StartFailed(BOOM)), ["failed"], []),
        ("starting", Reported(1, StartFailed(FINAL)), ["exited"], []),
        ("starting", Reported(1, StartFailed(Failure("x", CANCELED))), ["exited"], []),
        ("starting", Reported(1, Exited()), ["exited"], []),
        ("running", Reported(1, Exited()), ["exited"], []),
        ("running", Reported(1, Exited(FINAL)), ["exited"], []),
        ("running", Reported(1, Exited(Failure("x", CANCELED))), ["exited"], []),
        ("running", Reported(1, Exited(BOOM)), ["failed"], []),
        ("running", STOP, ["stopping"], [AskStop(1, "service stopping")]),
        ("starting", STOP, ["stopping"], [AskStop(1, "service stopping")]),
        ("stopping", STOP, [], []),
        ("stopping", Reported(1, Exited(BOOM)), ["stopped"], []),
        ("stopping", Reported(1, StartFailed(BOOM)), ["stopped"], []),
        ("stopping", Reported(1, Started()), [], [AskStop(1, "service stopping")]),
        ("unknown", STOP, [], []),
        ("stopped", STOP, [], []),
        ("exited", STOP, [], []),
        ("retrying", STOP, ["stopping", "stopped"], []),
        ("gave up", STOP, ["stopping", "stopped"], []),
        ("running", KillWanted(), ["stopping"], [Kill(1)]),
        ("starting", KillWanted(), ["stopping"], [Kill(1)]),
        ("stopping", KillWanted(), [], [Kill(1)]),
        ("retrying", KillWanted(), ["stopping", "stopped"], []),
        ("exited", KillWanted(), [], []),
        ("running", Reported(0, Exited(BOOM)), [], []),
        ("running", Reported(0, Started()), [], [Kill(0)]),
        ("exited", Reported(1, Started()), [], [Kill(1)]),
        ("retrying", Reported(1, Exited(BOOM)), [], []),
    ],
)
def test_every_transition_is_that_of_the_spec(
    state: str, event: Event, statuses: list[str], actions: list[Any]
) -> None:
    machine = STATES[state]().give(event)
    assert machine.statuses == statuses
    assert machine.actions == actions


@pytest.mark.parametrize("state", STATES)
def test_an_alarm_before_its_time_changes_nothing(state: str) -> None:
    machine = STATES[state]()
    before = machine.service
    assert machine.give(AlarmDue()).service == before


@pytest.mark.parametrize("state", STATES)
def test_a_stop_is_desired_and_drops_the_retry_whatever_the_state(state: str) -> None:
    machine = STATES[state]().give(STOP)
    assert machine.service.shown.desired is Desired.STOPPED
    assert machine.service.alarm is None or machine.service.phase is Phase.STOPPING


@pytest.mark.parametrize(
    ("failure", "terminal"),
    [
        (Failure("x", retryable=None), False),
        (Failure("x", retryable=True), False),
        (Failure("x", retryable=False), True),
        (Failure("x", CANCELED), True),
    ],
)
def test_only_unretryable_and_canceled_errors_are_terminal(failure: Failure, terminal: bool) -> None:
    assert is_terminal(failure) is terminal


def test_a_failure_waits_for_the_delay_of_its_number() -> None:
    machine = Machine().give(START)
    for number, delay in enumerate([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 90.0, 90.0], 1):
        machine.report(StartFailed(BOOM))
        assert machine.service.shown.retry_count == number
        assert machine.service.alarm == machine.now + delay
        machine.alarm()
        assert machine.service.shown.details == f"attempt {number + 1}"


@pytest.mark.parametrize("attempts", [1, 2, 3, 4, 10])
def test_max_attempts_n_allows_n_failures_and_n_minus_one_restarts(attempts: int) -> None:
    machine = Machine(restart=RestartPolicy(jitter=0.0, max_attempts=attempts)).run()
    restarts = 0
    while True:
        machine.report(Exited(BOOM))
        if machine.service.alarm is None:
            break
        machine.alarm().report(Started())
        restarts += 1
    assert restarts == attempts - 1
    assert machine.service.shown.retry_count == attempts
    assert machine.status is Status.FAILED
    assert machine.service.shown.desired is Desired.RUNNING
    assert machine.notes == [NoteKind.FAILED, NoteKind.GAVE_UP]


def test_a_start_that_succeeds_leaves_the_count_and_a_stable_run_makes_the_next_failure_the_first() -> None:
    machine = Machine().run().report(Exited(BOOM)).alarm().report(StartFailed(BOOM)).alarm().report(Started())
    assert machine.service.shown.retry_count == 2
    machine.after(4.999).report(Exited(BOOM))
    assert machine.service.shown.retry_count == 3
    machine.alarm().report(Started()).after(5.0).report(Exited(BOOM))
    assert machine.service.shown.retry_count == 1
    assert machine.service.alarm == machine.now + 1.0


def test_a_threshold_of_zero_makes_every_run_a_stable_one() -> None:
    machine = Machine(stable_threshold=0.0, restart=RestartPolicy(max_attempts=2, jitter=0.0)).run()
    for _ in range(5):
        machine.report(Exited(BOOM)).alarm().report(Started())
    assert machine.service.shown.retry_count == 1


def test_a_start_from_outside_begins_a_new_count_and_an_automatic_one_does_not() -> None:
    machine = Machine().run().report(Exited(BOOM)).alarm().report(StartFailed(BOOM))
    assert machine.service.shown.retry_count == 2
    assert machine.give(StartWanted(reset=False)).service.shown.retry_count == 2
    machine.report(StartFailed(BOOM)).give(StartWanted())
    assert machine.service.shown.retry_count == 0
    assert machine.service.shown.details == "attempt 1"


def test_a_start_that_takes_too_long_is_killed_and_counts_as_a_failure() -> None:
    machine = Machine(start_timeout=3.0).give(START).alarm()
    assert machine.now == 3.0
    assert (machine.status, machine.service.shown.details) == (Status.FAILED, "start timeout")
    assert machine.actions == [Kill(1)]
    assert machine.service.shown.retry_count == 1


def test_the_next_attempt_waits_for_the_end_of_one_that_was_killed() -> None:
    fast = RestartPolicy(initial_delay=0.25, jitter=0.0)
    machine = Machine(restart=fast).give(START).alarm().alarm()
    assert (machine.status, machine.service.phase, machine.actions) == (Status.STARTING, Phase.CLEARING, [])
    assert machine.report(Exited(BOOM)).actions == [Launch(2)]


def test_the_next_attempt_waits_no_longer_than_the_grace_after_a_kill() -> None:
    fast = RestartPolicy(initial_delay=0.25, jitter=0.0)
    machine = Machine(restart=fast).give(START).alarm()
    killed = machine.now
    machine.alarm().alarm()
    assert (machine.now, machine.actions, machine.notes) == (killed + 1.0, [Launch(2)], [NoteKind.ABANDONED])


@pytest.mark.parametrize("late", ["while it waits", "while it clears", "in the next attempt"])
def test_an_attempt_that_comes_up_after_its_time_out_is_killed(late: str) -> None:
    fast = RestartPolicy(initial_delay=0.25, jitter=0.0)
    machine = Machine(restart=fast).give(START).alarm()
    if late != "while it waits":
        machine.alarm()
    if late == "in the next attempt":
        machine.alarm()
    machine.give(Reported(1, Started()))
    assert machine.actions == [Kill(1)]
    assert machine.notes == [NoteKind.LATE]
    assert machine.status is not Status.RUNNING


def test_a_stop_in_time_ends_stopped_and_one_that_takes_too_long_kills() -> None:
    machine = _stopping()
    machine.alarm()
    assert (machine.now, machine.actions, machine.status) == (10.0, [Kill(1)], Status.STOPPING)
    machine.report(Exited(Failure("terminated")))
    assert (machine.status, machine.service.shown.details) == (Status.STOPPED, "killed after stop timeout")


def test_what_does_not_end_one_second_after_its_kill_is_a_failed_stop() -> None:
    machine = Machine(stop_timeout=90.0).run().give(STOP).alarm().alarm()
    assert machine.now == 91.0
    assert (machine.status, machine.service.shown.details) == (Status.FAILED, "stop timeout after 1m30s")
    assert machine.service.alarm is None
    assert machine.report(Exited()).status is Status.FAILED


def test_a_start_asked_for_during_a_stop_follows_it() -> None:
    machine = _stopping().give(START)
    assert (machine.status, machine.actions) == (Status.STOPPING, [])
    machine.report(Exited())
    assert machine.statuses == [Status.STOPPED, Status.STARTING]
    assert machine.actions == [Launch(2)]


def test_the_record_tells_when_it_began_to_run_and_when_it_last_changed() -> None:
    machine = Machine().after(1.0).give(START).after(2.0).report(Started()).after(4.0).report(Exited(BOOM))
    shown = machine.service.shown
    assert (shown.started_at, shown.last_update) == (1003.0, 1007.0)
    assert shown.details == "process failed: boom"


def test_without_a_policy_a_failure_is_final_here() -> None:
    machine = Machine(restart=None).run().report(Exited(BOOM))
    assert (machine.status, machine.service.alarm, machine.notes) == (Status.FAILED, None, [NoteKind.FAILED])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "10s"),
        (0, "0s"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (60, "1m0s"),
        (90, "1m30s"),
        (3661, "1h1m1s"),
        (7200, "2h0m0s"),
    ],
)
def test_durations_are_written_as_go_does(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
