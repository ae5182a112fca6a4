"""What the Lua module `system` asks: the services, hosts and processes of the runtime, and the program they live in."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from typing import Any

from actors.errors import INVALID, NOT_FOUND, ProcessError
from actors.vm.door import Function
from actors.vm.sources import lua_modules
from actors.vm.wire import check, pack

Records = Callable[[], Sequence[Any]]


def system_function(services: Records, hosts: Records, processes: Records) -> Function:
    """Return the function of the door that answers ``(question, argument…)`` with a packed value.

    The questions are those of `system` (spec lua-api.md §25): ``services``, ``service`` id, ``hosts``, ``processes``
    host, ``pid``, ``hostname``, ``cpu_count``, ``memory``, ``modules``. Times are nanoseconds.

    Args:
        services, hosts, processes: return the records of the runtime, without waiting for a VM.
    """
    plain: dict[str, Callable[[], Any]] = {
        "services": lambda: [_service(state) for state in services()],
        "hosts": lambda: [_host(info) for info in hosts()],
        "pid": os.getpid,
        "hostname": socket.gethostname,
        "cpu_count": lambda: os.cpu_count() or 1,
        "memory": lambda: {"sys": _resident()},
        "modules": lambda: [{"name": name} for name in module_names()],
    }
    about: dict[str, Callable[[str], Any]] = {
        "service": lambda id: _one_service(services(), id),
        "processes": lambda host: _processes(hosts(), processes(), host),
    }

    def answer(question: bytes, *args: bytes) -> bytes:
        name = question.decode()
        if name in plain:
            return pack(check(plain[name]()))
        if name in about and len(args) == 1:
            return pack(check(about[name](args[0].decode("utf-8", "replace"))))
        raise ProcessError(f"system: unknown question {name}", kind=INVALID)

    return answer


def module_names() -> list[str]:
    """Return the modules that scripts can ask for, sorted."""
    from actors.kinds.modules import KNOWN

    there = {name.removeprefix("modules.") for name in lua_modules("modules")}
    return sorted(there & KNOWN)


def _service(state: Any) -> dict[str, Any]:
    shown = {
        "id": state.id,
        "status": str(state.status),
        "desired": str(state.desired),
        "retry_count": state.retry_count,
        "last_update": _nanoseconds(state.last_update),
        "started_at": _nanoseconds(state.started_at or 0.0),
    }
    if state.details:
        shown["details"] = state.details
    return shown


def _one_service(services: Sequence[Any], id: str) -> dict[str, Any]:
    for state in services:
        if state.id == id:
            return _service(state)
    raise ProcessError(f"there is no service {id}", kind=NOT_FOUND)


def _host(info: Any) -> dict[str, Any]:
    return {"id": info.id, "status": info.status, "workers": info.workers, "processes": info.processes}


def _processes(hosts: Sequence[Any], processes: Sequence[Any], host: str) -> list[dict[str, Any]]:
    if all(info.id != host for info in hosts):
        raise ProcessError(f"host not found: {host}", kind=NOT_FOUND)
    return [{"pid": process.pid, "id": process.entry} for process in processes if process.host == host]


def _nanoseconds(seconds: float) -> float:
    # more than 2**53: a float, as the time module's unix_nano gives
    return float(round(seconds * 1e6)) * 1e3


def _resident() -> int:
    """Bytes of memory that the program takes; its peak where the system does not tell the present."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
