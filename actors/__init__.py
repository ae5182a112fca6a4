"""Tutela: an actor runtime with supervision trees of lightweight, sandboxed Lua processes.

The public names are imported when they are first used, so that `import actors` alone costs nothing.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.clock import Clock, SystemClock, VirtualClock
    from actors.errors import Failure, ProcessError
    from actors.hosts import DeadLetter, EndpointEvent, HostInfo, ProcessEnded, ProcessInfo
    from actors.mailbox import Mailbox, Message
    from actors.runtime import Runtime
    from actors.supervision import Desired, ServiceState, Status
    from actors.watching import ServiceChanged

_PLACES = {
    "Clock": "actors.clock",
    "DeadLetter": "actors.hosts",
    "Desired": "actors.supervision",
    "EndpointEvent": "actors.hosts",
    "Failure": "actors.errors",
    "HostInfo": "actors.hosts",
    "Mailbox": "actors.mailbox",
    "Message": "actors.mailbox",
    "ProcessEnded": "actors.hosts",
    "ProcessError": "actors.errors",
    "ProcessInfo": "actors.hosts",
    "Runtime": "actors.runtime",
    "ServiceChanged": "actors.watching",
    "ServiceState": "actors.supervision",
    "Status": "actors.supervision",
    "SystemClock": "actors.clock",
    "VirtualClock": "actors.clock",
}

logging.getLogger(__name__).addHandler(logging.NullHandler())
logging.getLogger("tutela").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    try:
        place = _PLACES[name]
    except KeyError:
        raise AttributeError(f"module 'actors' has no attribute {name!r}") from None
    value = globals()[name] = getattr(import_module(place), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])


__all__ = [
    "Clock",
    "DeadLetter",
    "Desired",
    "EndpointEvent",
    "Failure",
    "HostInfo",
    "Mailbox",
    "Message",
    "ProcessEnded",
    "ProcessError",
    "ProcessInfo",
    "Runtime",
    "ServiceChanged",
    "ServiceState",
    "Status",
    "SystemClock",
    "VirtualClock",
]
