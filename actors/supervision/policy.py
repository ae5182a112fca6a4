"""When and whether a failed service is started again (shared spec `supervision.md` §2 and §5): pure arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from enum import StrEnum
from random import Random
from typing import Any


class Startup(StrEnum):
    """How a service that does not start counts for the batch that starts it."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """The delays and the number of restarts after failures in a row.

    Durations are seconds; a delay of 0 counts as not given and becomes the default (OP-1), so `jitter` is the only
    field of the formula that can be switched off by 0.

    Attributes:
        initial_delay: the wait after the first failure.
        max_delay: the cap of the wait, before jitter is added.
        backoff_factor: what the wait is multiplied by from one failure to the next; 0 or less counts as 1.
        jitter: the share by which a wait varies to both sides, 0..1.
        max_attempts: how many failures in a row are the last; 0 for no limit.

    Raises:
        ValueError: a field is negative (not `backoff_factor`) or not finite.
    """

    initial_delay: float = 1.0
    max_delay: float = 90.0
    backoff_factor: float = 2.0
    jitter: float = 0.1
    max_attempts: int = 0

    def __post_init__(self) -> None:
        _check(self, "initial_delay", "max_delay", "jitter", "max_attempts")
        _default_for_zero(self, "initial_delay", "max_delay")
        if not math.isfinite(self.backoff_factor):
            raise ValueError(f"backoff_factor: got {self.backoff_factor}, expected a finite number")

    def base_delay(self, failures: int) -> float:
        """Return the wait after the `failures`-th failure in a row (1 is the first) without its jitter."""
        factor = self.backoff_factor if self.backoff_factor > 0 else 1.0
        try:
            return min(self.max_delay, self.initial_delay * factor ** (failures - 1))
        except OverflowError:
            return self.max_delay

    def delay(self, failures: int, rng: Random) -> float:
        """Return the wait in seconds after the `failures`-th failure in a row; takes one number from `rng`."""
        return max(0.0, self.base_delay(failures) * (1.0 + rng.uniform(-self.jitter, self.jitter)))

    def gives_up(self, failures: int) -> bool:
        """Tell whether there is no restart after the `failures`-th failure in a row."""
        return 0 < self.max_attempts <= failures


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How one service is started, stopped and restarted: the `lifecycle` block of an entry.

    Durations are seconds; a time-out of 0 counts as not given and becomes the default, a `stable_threshold` of 0 is
    honoured (OP-1).

    Attributes:
        auto_start: start it when the change set that adds it commits.
        startup: whether a batch fails without it.
        start_timeout: the limit for one attempt to start.
        stop_timeout: the limit for a graceful stop; then it is killed.
        stable_threshold: a run of at least this length forgets the failures before it.
        restart: the policy after a failure; None where somebody else decides on restarts (a tree's children).

    Raises:
        ValueError: a duration is negative or not finite.
    """

    auto_start: bool = False
    startup: Startup = Startup.REQUIRED
    start_timeout: float = 10.0
    stop_timeout: float = 10.0
    stable_threshold: float = 5.0
    restart: RestartPolicy | None = field(default_factory=RestartPolicy)

    def __post_init__(self) -> None:
        _check(self, "start_timeout", "stop_timeout", "stable_threshold")
        _default_for_zero(self, "start_timeout", "stop_timeout")


def _check(policy: Any, *names: str) -> None:
    for name in names:
        value = getattr(policy, name)
        if value < 0 or not math.isfinite(value):
            raise ValueError(f"{name}: got {value}, expected a finite number of at least 0")


def _default_for_zero(policy: Any, *names: str) -> None:
    defaults = {field.name: field.default for field in fields(policy)}
    for name in names:
        if getattr(policy, name) == 0:
            object.__setattr__(policy, name, defaults[name])
