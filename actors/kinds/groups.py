"""Process groups (spec registry.md §10.9)."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from actors.kinds.fields import Duration
from actors.kinds.lifecycle import ServiceSpec
from registry import Problem


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
