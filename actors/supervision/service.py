"""The life of one service as a state machine (shared spec `supervision.md` §3-§5, §7.2): events in, actions out.

Nothing here waits, starts or logs: `step` says what is to be done, a supervisor does it. A service has one alarm at a
time, the moment at which `AlarmDue` is to be given to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from random import Random
from typing import Final, NamedTuple, TypeAlias

from actors.errors import CANCELED, TIMEOUT, Failure
from actors.supervision.driver import DriverEvent, Exited, Started, StartFailed
from actors.supervision.policy import Lifecycle

# how long an end is awaited after a kill, in seconds (OP-4)
KILL_GRACE: Final = 1.0


class Status(StrEnum):
    """The state of a service as everybody sees it."""

    UNKNOWN = "unknown"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXITED = "exited"
    FAILED = "failed"


class Desired(StrEnum):
    """What was asked for last."""

    RUNNING = "running"
    STOPPED = "stopped"


class Phase(Enum):
    """What a service waits for; more exact than its status."""

    REST = auto()  # nothing: unknown, stopped, exited, or failed for good
    BACKOFF = auto()  # failed: the time of the next attempt
    CLEARING = auto()  # starting: the end of an earlier life that was killed while it started
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()  # asked to stop
    KILLING = auto()  # stopping: killed


class Moment(NamedTuple):
    """One instant on both clocks: `monotonic` for durations, `unix` for what is shown."""

    monotonic: float
    unix: float


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What is shown of a service (spec §8).

    Attributes:
        id: the id of its entry.
        status: where it is.
        desired: what was asked for last.
        retry_count: failures in a row, as §5.1 counts them.
        details: a text about the status, or None.
        last_update: when status or details last changed, Unix seconds.
        started_at: when it last began to run, Unix seconds; None before.
    """

    id: str
    status: Status = Status.UNKNOWN
    desired: Desired = Desired.STOPPED
    retry_count: int = 0
    details: str | None = None
    last_update: float = 0.0
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """The whole state of a service: what is shown, and what the machine needs beside it.

    Attributes:
        shown: the public record.
        phase: what it waits for.
        life: the number of the present or last life; reports of another life change nothing.
        alarm: when `AlarmDue` is to be given, monotonic seconds; None for never.
        failure: why it last failed or exited.
        running_since: when the present life began to run, monotonic seconds.
        stray_until: the present life was killed while it started and its end is not known; the next one waits so long.
        verdict: the details with which a stop will end.
    """

    shown: ServiceState
    phase: Phase = Phase.REST
    life: int = 0
    alarm: float | None = None
    failure: Failure | None = None
    running_since: float = 0.0
    stray_until: float | None = None
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class StartWanted:
    """Somebody wants it to run. A request from outside begins a new count of failures (OP-5)."""

    reset: bool = True


@dataclass(frozen=True, slots=True)
class StopWanted:
    """Somebody wants it to end, gracefully; with a reason for the service."""

    reason: str = "service stopping"


@dataclass(frozen=True, slots=True)
class KillWanted:
    """It is to end now."""


@dataclass(frozen=True, slots=True)
class AlarmDue:
    """The time of `Service.alarm` has come."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The driver of one life reports."""

    life: int
    event: DriverEvent


Event: TypeAlias = StartWanted | StopWanted | KillWanted | AlarmDue | Reported


@dataclass(frozen=True, slots=True)
class Launch:
    """Make a driver and start it, as this life."""

    life: int


@dataclass(frozen=True, slots=True)
class AskStop:
    """Ask this life to stop."""

    life: int
    reason: str


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill this life."""

    life: int


@dataclass(frozen=True, slots=True)
class ServiceUpdate:
    """Tell everybody about a change of status or details.

    Attributes:
        state: the record after the change.
        retry_in: seconds until the next attempt (0.0 when it follows at once); None when none is planned.
        failure: why it failed or exited.
        gone: the service was removed; this is the last that is heard of it.
    """

    state: ServiceState
    retry_in: float | None = None
    failure: Failure | None = None
    gone: bool = False


class NoteKind(StrEnum):
    """What happened, for the log and the counters."""

    FAILED = "failed"
    EXITED = "exited"
    RESTARTING = "restarting"
    GAVE_UP = "gave up"
    KILLED = "killed"  # did not stop in time
    ABANDONED = "abandoned"  # did not even end when killed
    LATE = "late"  # came up after its attempt had been given up


@dataclass(frozen=True, slots=True)
class Note:
    """Log and count something; `service` is as it is then."""

    kind: NoteKind
    service: Service
    retry_in: float | None = None


Action: TypeAlias = Launch | AskStop | Kill | ServiceUpdate | Note


def is_terminal(failure: Failure) -> bool:
    """Tell whether a failure allows no restart: a cancellation, or retryable is False; unset counts as retryable."""
    return failure.retryable is False or failure.kind == CANCELED


def new_service(id: str, now: Moment) -> Service:
    """Return a service that has never been started."""
    return Service(ServiceState(id, last_update=now.unix))


def step(
    service: Service, event: Event, now: Moment, lifecycle: Lifecycle, rng: Random, noun: str = "process"
) -> tuple[Service, list[Action]]:
    """Return the state after an event and what is to be done, in order.

    `rng` gives the jitter, one number for each planned restart; all else depends on the arguments alone.
    """
    run = _Step(service, now, lifecycle, rng)
    match event:
        case StartWanted(reset):
            run.start_wanted(reset)
        case StopWanted(reason):
            run.stop_wanted(reason)
        case KillWanted():
            run.kill_wanted()
        case AlarmDue():
            run.alarm_due()
        case Reported(life, report) if life != service.life:
            if isinstance(report, Started):
                run.late(life)
        case Reported(_, Started()):
            run.started()
        case Reported(_, StartFailed(failure)):
            run.ended(failure, f"start failed: {failure.message}")
        case Reported(_, Exited(failure)):
            run.ended(failure, f"{noun} failed: {failure.message}" if failure else None)
    return run.service(), run.actions


class _Step:
    """One step in progress: the state as it becomes, taken apart, and the actions so far."""

    def __init__(self, service: Service, now: Moment, lifecycle: Lifecycle, rng: Random) -> None:
        shown = service.shown
        self.now = now
        self.lifecycle = lifecycle
        self.rng = rng
        self.actions: list[Action] = []
        self.id = shown.id
        self.status = shown.status
        self.desired = shown.desired
        self.failures = shown.retry_count
        self.details = shown.details
        self.last_update = shown.last_update
        self.started_at = shown.started_at
        self.phase = service.phase
        self.life = service.life
        self.alarm = service.alarm
        self.failure = service.failure
        self.running_since = service.running_since
        self.stray_until = service.stray_until
        self.verdict = service.verdict

    def shown(self) -> ServiceState:
        return ServiceState(
            self.id, self.status, self.desired, self.failures, self.details, self.last_update, self.started_at
        )

    def service(self) -> Service:
        return Service(
            self.shown(),
            self.phase,
            self.life,
            self.alarm,
            self.failure,
            self.running_since,
            self.stray_until,
            self.verdict,
        )

    def start_wanted(self, reset: bool) -> None:
        self.desired = Desired.RUNNING
        if reset and self.phase in (Phase.REST, Phase.BACKOFF, Phase.STOPPING, Phase.KILLING):
            self.failures = 0
        if self.phase in (Phase.REST, Phase.BACKOFF):
            self._launch()

    def stop_wanted(self, reason: str) -> None:
        self.desired = Desired.STOPPED
        match self.phase:
            case Phase.STARTING | Phase.RUNNING:
                self._change(Phase.STOPPING, Status.STOPPING, None, alarm=self.lifecycle.stop_timeout)
                self._do(AskStop(self.life, reason))
            case Phase.REST if self.status is not Status.FAILED:
                pass
            case Phase.REST | Phase.BACKOFF | Phase.CLEARING:
                self._stop_stray()

    def kill_wanted(self) -> None:
        if self.phase in (Phase.STARTING, Phase.RUNNING, Phase.STOPPING):
            self.desired = Desired.STOPPED
            self._kill("killed")
        elif self.phase is Phase.KILLING:
            self.desired = Desired.STOPPED
        else:
            self.stop_wanted("")

    def alarm_due(self) -> None:
        if self.alarm is None or self.now.monotonic < self.alarm:
            return
        match self.phase:
            case Phase.STARTING:
                self._do(Kill(self.life))
                self.stray_until = self.now.monotonic + KILL_GRACE
                timeout = duration_text(self.lifecycle.start_timeout)
                self._fail(Failure(f"not started within {timeout}", TIMEOUT), "start timeout")
            case Phase.BACKOFF:
                self._note(NoteKind.RESTARTING)
                self._launch()
            case Phase.CLEARING:
                self._note(NoteKind.ABANDONED)
                self.stray_until = None
                self._launch()
            case Phase.STOPPING:
                self._note(NoteKind.KILLED)
                self._kill("killed after stop timeout")
            case Phase.KILLING:
                self._note(NoteKind.ABANDONED)
                timeout = duration_text(self.lifecycle.stop_timeout)
                self.failure = Failure(f"not stopped within {timeout} and not ended by a kill", TIMEOUT)
                self.stray_until = None
                self._rest(Status.FAILED, f"stop timeout after {timeout}")

    def started(self) -> None:
        match self.phase:
            case Phase.STARTING:
                self.running_since = self.now.monotonic
                self.started_at = self.now.unix
                self._change(Phase.RUNNING, Status.RUNNING, None)
            case Phase.STOPPING:
                self._do(AskStop(self.life, "service stopping"))
            case Phase.KILLING:
                self._do(Kill(self.life))
            case Phase.RUNNING:
                pass
            case _:
                self.late(self.life)

    def late(self, life: int) -> None:
        self._note(NoteKind.LATE)
        self._do(Kill(life))

    def ended(self, failure: Failure | None, details: str | None) -> None:
        self.stray_until = None
        match self.phase:
            case Phase.STARTING | Phase.RUNNING if failure is None or is_terminal(failure):
                self.failure = failure
                self._change(Phase.REST, Status.EXITED, details)
                self._note(NoteKind.EXITED)
            case Phase.STARTING if failure is not None:
                self._fail(failure, details)
            case Phase.RUNNING if failure is not None:
                if self.now.monotonic - self.running_since >= self.lifecycle.stable_threshold:
                    self.failures = 0
                self._fail(failure, details)
            case Phase.STOPPING | Phase.KILLING:
                self._rest(Status.STOPPED, self.verdict)
            case Phase.CLEARING:
                self._launch()

    def _fail(self, failure: Failure, details: str | None) -> None:
        self.failures += 1
        self.failure = failure
        restart = self.lifecycle.restart
        if restart is None or restart.gives_up(self.failures):
            self._change(Phase.REST, Status.FAILED, details)
            self._note(NoteKind.FAILED)
            if restart is not None:
                self._note(NoteKind.GAVE_UP)
        else:
            delay = restart.delay(self.failures, self.rng)
            self._change(Phase.BACKOFF, Status.FAILED, details, alarm=delay, retry_in=delay)
            self._note(NoteKind.FAILED, delay)

    def _launch(self) -> None:
        attempt = f"attempt {self.failures + 1}"
        if self.stray_until is not None:
            wait = self.stray_until - self.now.monotonic
            if wait > 0:
                self._change(Phase.CLEARING, Status.STARTING, attempt, alarm=wait)
                return
            self._note(NoteKind.ABANDONED)
        self.life += 1
        self.stray_until = self.verdict = self.failure = None
        self._change(Phase.STARTING, Status.STARTING, attempt, alarm=self.lifecycle.start_timeout)
        self._do(Launch(self.life))

    def _stop_stray(self) -> None:
        """Stop what has no life, or only one that was killed already and whose end is awaited."""
        if self.stray_until is not None and self.stray_until > self.now.monotonic:
            self.verdict = None
            self._change(Phase.KILLING, Status.STOPPING, None, alarm=self.stray_until - self.now.monotonic)
        else:
            self._change(Phase.STOPPING, Status.STOPPING, None)
            self._change(Phase.REST, Status.STOPPED, None)

    def _kill(self, verdict: str) -> None:
        self.verdict = verdict
        self._change(Phase.KILLING, Status.STOPPING, self.details, alarm=KILL_GRACE)
        self._do(Kill(self.life))

    def _rest(self, status: Status, details: str | None) -> None:
        # somebody may have asked for a start while it was being stopped
        again = self.desired is Desired.RUNNING
        self._change(Phase.REST, status, details, retry_in=0.0 if again else None)
        if again:
            self._launch()

    def _change(
        self,
        phase: Phase,
        status: Status,
        details: str | None,
        *,
        alarm: float | None = None,
        retry_in: float | None = None,
    ) -> None:
        self.phase = phase
        self.alarm = None if alarm is None else self.now.monotonic + alarm
        if status is not self.status or details != self.details:
            self.status, self.details, self.last_update = status, details, self.now.unix
            self._do(ServiceUpdate(self.shown(), retry_in, self.failure))

    def _note(self, kind: NoteKind, retry_in: float | None = None) -> None:
        self._do(Note(kind, self.service(), retry_in))

    def _do(self, action: Action) -> None:
        self.actions.append(action)


def duration_text(seconds: float) -> str:
    """Write a duration as Go does: ``10s``, ``1m30s``, ``1.5s``, ``250ms``."""
    if seconds < 1:
        return f"{seconds * 1000:.6g}ms" if seconds else "0s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if text or minutes else ""
    return f"{text}{rest:.9g}s"
