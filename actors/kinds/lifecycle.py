"""The ``lifecycle`` block of every service kind (spec registry.md §9.2, supervision.md §2)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from actors.kinds.fields import Duration, DurationOr1s, DurationOr10s, DurationOr90s, Expect, Ref, Spec, Text


def _one_if_zero(value: float) -> float:
    return value or 1.0


def _startup(value: Any) -> Any:
    return value if value == "optional" or not isinstance(value, str) else "required"


class RestartSpec(Spec):
    """When and how often a service that failed is started again; delays in seconds.

    A jitter of 0 means none; an initial or maximal delay of 0 means the default (spec supervision.md OP-1).
    """

    initial_delay: DurationOr1s = 1.0
    max_delay: DurationOr90s = 90.0
    backoff_factor: Annotated[float, Field(ge=0), AfterValidator(_one_if_zero)] = 2.0
    jitter: float = Field(default=0.1, ge=0, le=1)
    max_attempts: int = Field(default=0, ge=0)

    @property
    def delays_written(self) -> bool:
        """Whether the entry names any delay; the children of a supervisor are restarted at once otherwise."""
        return not self.model_fields_set.isdisjoint({"initial_delay", "max_delay", "backoff_factor", "jitter"})


class ActorSpec(Spec):
    """The identity of a service's code."""

    id: Text
    meta: dict[str, Any] = Field(default_factory=dict)


class SecuritySpec(Spec):
    """Identity and scope of a service's code."""

    actor: ActorSpec | None = None
    policies: list[Ref] = Field(default_factory=list)
    groups: list[Ref] = Field(default_factory=list)


class LifecycleSpec(Spec):
    """How a service is started, stopped and restarted; times in seconds."""

    auto_start: bool = False
    startup: Annotated[
        Literal["required", "optional"], BeforeValidator(_startup), Expect("'required' or 'optional'")
    ] = "required"
    start_timeout: DurationOr10s = 10.0
    stop_timeout: DurationOr10s = 10.0
    stable_threshold: Duration = 5.0
    requires: list[Ref] = Field(default_factory=list)
    depends_on: list[Ref] = Field(default_factory=list)
    restart: RestartSpec = RestartSpec.model_construct()
    security: SecuritySpec | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The services that must run first: `requires`, then `depends_on`, each once."""
        return tuple(dict.fromkeys([*self.requires, *self.depends_on]))


class ServiceSpec(Spec):
    """The base of the kinds that the supervisor starts and stops."""

    lifecycle: LifecycleSpec = LifecycleSpec.model_construct()
