"""What a supervisor needs of a service: how one life of it begins and ends, and what is to be known about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from actors.errors import Failure
from actors.supervision.policy import Lifecycle


@dataclass(frozen=True, slots=True)
class Started:
    """A life has begun. `pid` names it in log records, if it has one."""

    pid: str = ""


@dataclass(frozen=True, slots=True)
class StartFailed:
    """A life could not begin; a failure whose retryable is False is final (OP-3)."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class Exited:
    """A life has ended: normally (no failure), canceled (kind Canceled), or by a failure."""

    failure: Failure | None = None
    result: Any = None


DriverEvent: TypeAlias = Started | StartFailed | Exited
Report: TypeAlias = Callable[[DriverEvent], None]


class Driver(Protocol):
    """One life of a service. Every call comes from the supervisor's thread and returns at once.

    What becomes of it is told by `report`, from any thread, in order: `Started` and later `Exited`, or `StartFailed`
    (`Exited` alone does as well). The last of them is the end: nothing of this life is left. Reports that come late
    harm nothing.
    """

    def start(self, report: Report) -> None:
        """Begin; called once. An exception that it raises counts as `StartFailed`."""

    def stop(self, reason: str) -> None:
        """Ask for a graceful end, at any time and perhaps again; a start in progress is called off."""

    def kill(self) -> None:
        """End it without asking, at any time and perhaps again; a start in progress must come to nothing."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """All that a supervisor knows about one service.

    Attributes:
        id: the full id of its entry.
        driver: makes the driver of the next life; called once for each attempt to start.
        lifecycle: its time-outs and restarts.
        requires: ids that must run before it, as `lifecycle.requires`; one that leads to no service blocks it.
        references: ids that the entry refers to otherwise; those that lead to no service are ignored.
        provides: further ids that this service stands for when others depend on them (the children of a tree).
        noun: the word for it in details texts: "process failed: ...".
    """

    id: str
    driver: Callable[[], Driver] = field(repr=False)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    requires: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    noun: str = "process"
