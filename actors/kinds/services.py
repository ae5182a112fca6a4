"""Hosts, services, supervisors and process groups (spec registry.md §10.2-10.4, §10.9, supervision.md §9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from actors.kinds.fields import Duration, Expect, PositiveDuration, Ref, Spec, mistake
from actors.kinds.lifecycle import ServiceSpec
from actors.kinds.lua import MailboxSpec
from registry import Problem


def _or(default: int) -> AfterValidator:
    return AfterValidator(lambda value: value or default)


def _not_control(value: str) -> str:
    if value == "node:control":
        raise mistake("a host that runs processes")
    return value


class HostSpec(Spec):
    """The ``host:`` block; `workers` 0 means one for each CPU, `max_processes` 0 means no limit."""

    workers: int = Field(default=0, ge=0)
    queue_size: Annotated[int, Field(ge=0), _or(1024)] = 1024
    local_queue_size: Annotated[int, Field(ge=0), _or(256)] = 256
    max_processes: int = Field(default=0, ge=0)


class ProcessHostSpec(ServiceSpec):
    """``process.host``."""

    host: HostSpec = HostSpec.model_construct()
    mailbox: MailboxSpec = MailboxSpec.model_construct()


class ProcessServiceSpec(ServiceSpec):
    """``process.service``; the items of `input` are the arguments of the process."""

    process: Ref
    host: Annotated[Ref, AfterValidator(_not_control), Expect("the id of a host")]
    input: list[Any] = Field(default_factory=list)


class TerminalHostSpec(ServiceSpec):
    """``terminal.host``."""

    hide_logs: bool = False


class PgScopeSpec(ServiceSpec):
    """``pg.scope``; a maximum of 0 means no limit. The fields for clusters are accepted without effect."""

    max_groups: int = Field(default=0, ge=0)
    max_members_per_group: int = Field(default=0, ge=0)
    monitor_buffer: int = Field(default=64, ge=0)
    action_queue_size: int = Field(default=256, ge=0)
    action_queue_max_size: int = Field(default=1024, ge=0)
    broadcast_timeout: Duration = 5.0
    protocol_timeout: Duration = 5.0
    anti_entropy_interval: Duration = 30.0
    circuit_breaker_failures: int = Field(default=3, ge=0)
    circuit_breaker_reset_time: Duration = 10.0
    max_retries: int = Field(default=3, ge=0)
    retry_base_delay: Duration = 0.1
    retry_max_delay: Duration = 1.0

    @classmethod
    def faults(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a maximum that is below the warning mark."""
        size, most = data.get("action_queue_size", 256), data.get("action_queue_max_size", 1024)
        if isinstance(size, int) and isinstance(most, int) and most < size:
            field = "action_queue_max_size" if "action_queue_max_size" in data else "action_queue_size"
            got = str(data[field])
            other = f"at least action_queue_size ({size})" if field.endswith("max_size") else f"at most {most}"
            yield Problem((field,), got, other)


A_CHILD: Final = "the id of an entry, or {id, restart}"


class ChildSpec(Spec):
    """A child of a supervisor."""

    id: Ref
    restart: Literal["permanent", "transient", "temporary"] = "permanent"


def _child(value: Any) -> Any:
    if isinstance(value, str):
        return {"id": value}
    if not isinstance(value, dict):
        raise mistake(A_CHILD)
    return value


class SupervisorSpec(ServiceSpec):
    """``supervisor``; `children` in the order of their start."""

    strategy: Literal["one_for_one", "one_for_all", "rest_for_one"] = "one_for_one"
    intensity: int = Field(default=1, ge=0)
    period: PositiveDuration = 5.0
    children: list[Annotated[ChildSpec, BeforeValidator(_child), Expect(A_CHILD)]] = Field(default_factory=list)
