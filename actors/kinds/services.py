"""Hosts, services and supervisors (spec registry.md §10.2-10.4, supervision.md §9)."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from actors.kinds.fields import Expect, PositiveDuration, Ref, Spec, mistake
from actors.kinds.lifecycle import ServiceSpec
from actors.kinds.lua import MailboxSpec


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
