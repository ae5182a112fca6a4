"""Tutela: an actor runtime with supervision trees of lightweight, sandboxed Lua processes."""

import logging

from actors.clock import Clock, SystemClock, VirtualClock
from actors.errors import Failure, ProcessError
from actors.hosts import DeadLetter, EndpointEvent, HostInfo, ProcessEnded, ProcessInfo
from actors.mailbox import Mailbox, Message
from actors.runtime import Runtime
from actors.supervision import Desired, ServiceState, Status
from actors.watching import ServiceChanged

logging.getLogger(__name__).addHandler(logging.NullHandler())
logging.getLogger("tutela").addHandler(logging.NullHandler())

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
