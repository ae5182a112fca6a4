"""Hosts: the actors that own VMs, and the switchboard that connects VMs, names and the Python program."""

from actors.hosts.endpoint import Endpoint, EndpointEvent
from actors.hosts.host import HostDriver, HostSettings, ProcessHost
from actors.hosts.pid import Pid
from actors.hosts.records import DeadLetter, HostInfo, ProcessEnded, ProcessInfo
from actors.hosts.requests import Call, Question, Request, Spawn
from actors.hosts.service import ProcessDriver
from actors.hosts.switchboard import Switchboard
from actors.hosts.watchdog import Watchdog
from actors.hosts.worker import VMWorker

__all__ = [
    "Call",
    "DeadLetter",
    "Endpoint",
    "EndpointEvent",
    "HostDriver",
    "HostInfo",
    "HostSettings",
    "Pid",
    "ProcessDriver",
    "ProcessEnded",
    "ProcessHost",
    "ProcessInfo",
    "Question",
    "Request",
    "Spawn",
    "Switchboard",
    "VMWorker",
    "Watchdog",
]
