"""What a running app tells about itself: the records of the runtime as plain data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Protocol

from actors.errors import INVALID, ProcessError


class Inspected(Protocol):
    """What `ps_handler` asks of a runtime."""

    def services(self) -> Sequence[Any]: ...

    def hosts(self) -> Sequence[Any]: ...

    def processes(self) -> Sequence[Any]: ...

    def dead_letters(self) -> Sequence[Any]: ...


def ps_handler(rt: Inspected, *, time: Callable[[], float] = time.time) -> Callable[[dict[str, Any]], Any]:
    """Make the handler of the request ``ps``, which describes a running app.

    The request may hold ``limit``, the most processes to be listed (0 or missing: all). The result is ``{program,
    services, hosts, processes, process_count, dead_letters}``: the pid of the program, one object for each service,
    host and process with the fields of the runtime's own records, and two counts. A service has ``seconds`` besides,
    since it was last started, or null.
    """

    def ps(request: dict[str, Any]) -> Any:
        limit = request.get("limit", 0)
        if not isinstance(limit, int) or limit < 0:
            raise ProcessError(f"invalid limit {limit!r}: write a number from 0", kind=INVALID)
        services = [_plain(service) for service in rt.services()]
        for service in services:
            running = service.get("status") == "running" and service.get("started_at") is not None
            service["seconds"] = max(0.0, time() - service["started_at"]) if running else None
        processes = list(rt.processes())
        return {
            "program": os.getpid(),
            "services": services,
            "hosts": [_plain(host) for host in rt.hosts()],
            "processes": [_plain(process) for process in processes[: limit or None]],
            "process_count": len(processes),
            "dead_letters": len(rt.dead_letters()),
        }

    return ps


def _plain(value: Any) -> Any:
    """Turn a record of the runtime into JSON data: dataclasses into objects, enums into their values."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
