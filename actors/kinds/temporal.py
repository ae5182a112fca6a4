"""The kinds of durable workflows' engines (spec registry.md §10.5-10.6, workflows.md §13)."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from actors.kinds.fields import (
    Duration,
    DurationOr10s,
    DurationOr30s,
    Expect,
    IntOr20,
    IntOr1000,
    PositiveDuration,
    Ref,
    Spec,
    Text,
    mistake,
)
from actors.kinds.lifecycle import ServiceSpec
from registry import Problem

AN_ADDRESS: Final = "'host:port', 'sqlite:///relative/path' or 'sqlite:////absolute/path'"
_SERVER: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/:]+):[0-9]{1,5}", re.ASCII)
_EMBEDDED: Final = "sqlite:///"


def _address(value: str) -> str:
    if _SERVER.fullmatch(value) or (value.startswith(_EMBEDDED) and value.strip("/") != _EMBEDDED.strip("/")):
        return value
    raise mistake(AN_ADDRESS)


class AuthSpec(Spec):
    """How to authenticate with a server."""

    type: Literal["none", "api_key", "mtls"] = "none"
    api_key: str | None = None
    api_key_env: str | None = None
    api_key_file: str | None = None
    cert_file: str | None = None
    cert_pem: str | None = None
    key_file: str | None = None
    key_pem: str | None = None
    key_pem_env: str | None = None


class TlsSpec(Spec):
    """Encryption of the connection to a server."""

    enabled: bool = False
    ca_file: str | None = None
    server_name: str | None = None
    insecure_skip_verify: bool = False


class HealthCheckSpec(Spec):
    """Regular checks of the connection."""

    enabled: bool = False
    interval: PositiveDuration = 30.0


class JournalSpec(Spec):
    """The journal of the embedded engine; a retention of 0 keeps closed runs for ever."""

    synchronous: Literal["full", "normal"] = "full"
    retention: Duration = 720 * 3600.0
    max_events: int = Field(default=50_000, ge=1)
    max_payload: int = Field(default=2_097_152, ge=1)


class TemporalClientSpec(ServiceSpec):
    """``temporal.client``; no address means the embedded engine with a file of its own in the state folder."""

    address: Annotated[str, AfterValidator(_address), Expect(AN_ADDRESS)] | None = None
    namespace: str = "default"
    tq_prefix: str = ""
    connection_timeout: DurationOr10s = 10.0
    keep_alive_time: DurationOr30s = 30.0
    keep_alive_timeout: DurationOr10s = 10.0
    auth: AuthSpec = AuthSpec.model_construct()
    tls: TlsSpec = TlsSpec.model_construct()
    health_check: HealthCheckSpec = HealthCheckSpec.model_construct()
    journal: JournalSpec = JournalSpec.model_construct()

    @property
    def embedded(self) -> bool:
        """Whether the engine is the embedded one."""
        return self.address is None or self.address.startswith(_EMBEDDED)

    @classmethod
    def faults(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield credentials that are missing or given twice, and checks that contradict each other."""
        auth, tls = data.get("auth"), data.get("tls")
        if isinstance(auth, dict):
            if auth.get("type") == "api_key":
                yield from _exactly_one(auth, "api_key", "api_key_env", "api_key_file")
            elif auth.get("type") == "mtls":
                yield from _exactly_one(auth, "cert_file", "cert_pem")
                yield from _exactly_one(auth, "key_file", "key_pem", "key_pem_env")
        if (
            isinstance(tls, dict)
            and tls.get("enabled") is tls.get("insecure_skip_verify") is True
            and tls.get("server_name")
        ):
            yield Problem(("tls", "insecure_skip_verify"), "true beside server_name", "one of the two")


def _exactly_one(auth: Mapping[str, Any], *fields: str) -> Iterator[Problem]:
    given = [field for field in fields if auth.get(field)]
    if len(given) != 1:
        got = " and ".join(given) if given else "nothing"
        yield Problem(("auth", given[-1]) if given else ("auth",), got, f"exactly one of {', '.join(fields)}")


class WorkerOptionsSpec(Spec):
    """The ``worker_options:`` block; rates of 0 are unlimited, None leaves a choice to the engine."""

    unknown_is_fault: ClassVar[bool] = True

    max_concurrent_activity_execution_size: IntOr1000 = 1000
    max_concurrent_workflow_task_execution_size: IntOr1000 = 1000
    max_concurrent_local_activity_execution_size: IntOr1000 = 1000
    max_concurrent_session_execution_size: IntOr1000 = 1000
    max_concurrent_eager_activity_execution_size: int = 0
    max_concurrent_activity_task_pollers: IntOr20 = 20
    max_concurrent_workflow_task_pollers: IntOr20 = 20
    worker_activities_per_second: float = Field(default=0.0, ge=0)
    worker_local_activities_per_second: float = Field(default=0.0, ge=0)
    task_queue_activities_per_second: float = Field(default=0.0, ge=0)
    sticky_schedule_to_start_timeout: Duration = 5.0
    worker_stop_timeout: Duration | None = None
    deadlock_detection_timeout: Duration | None = None
    max_heartbeat_throttle_interval: Duration | None = None
    default_heartbeat_throttle_interval: Duration | None = None
    identity: str | None = None
    enable_logging_in_replay: bool = False
    disable_workflow_worker: bool = False
    local_activity_worker_only: bool = False
    enable_session_worker: bool = False
    disable_eager_activities: bool = False
    disable_registration_aliasing: bool = False
    use_versioning: bool = False
    deployment_name: str = ""
    build_id: str = ""
    build_id_env: str = ""
    default_versioning_behavior: Literal["pinned", "auto_upgrade"] | None = None


class TemporalWorkerSpec(ServiceSpec):
    """``temporal.worker``; its id is a host for ``process.spawn`` too."""

    client: Ref
    task_queue: Text
    worker_options: WorkerOptionsSpec = WorkerOptionsSpec.model_construct()

    @classmethod
    def faults(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield options that cannot be together."""
        options = data.get("worker_options")
        if not isinstance(options, dict):
            return
        if options.get("max_concurrent_workflow_task_pollers") == 1:
            yield Problem(("worker_options", "max_concurrent_workflow_task_pollers"), "1", "an integer of at least 2")
        if options.get("disable_workflow_worker") is True and options.get("local_activity_worker_only") is True:
            path = ("worker_options", "local_activity_worker_only")
            yield Problem(path, "true beside disable_workflow_worker", "one of the two")
