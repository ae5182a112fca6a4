"""What the runtime tells about hosts and processes: frozen records."""

from __future__ import annotations

from dataclasses import dataclass

from actors.errors import Failure


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """A living process.

    Attributes:
        pid: its PID. entry: the id of its entry. host: the id of its host.
        names: the names it is registered under, sorted.
    """

    pid: str
    entry: str
    host: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostInfo:
    """A host and its counters since it started.

    Attributes:
        id: the id of its entry.
        status: ``stopped``, ``running`` or ``stopping``.
        workers: how many VMs run; `max_workers` how many may.
        processes: living ones. spawned, failed: ever. sent: messages sent by its processes.
        dead_letters: messages that nobody got. vms_lost: VMs that were given up and replaced.
    """

    id: str
    status: str
    workers: int
    max_workers: int
    processes: int
    spawned: int
    failed: int
    sent: int
    dead_letters: int
    vms_lost: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody will get.

    Attributes:
        to: the PID it was for. topic: its topic. sender: the sender's PID, None for the runtime.
        reason: why it was not delivered. at: Unix seconds.
    """

    to: str
    topic: str
    sender: str | None
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """A process ended abnormally.

    Attributes:
        pid, entry, host: which. failure: why. at: Unix seconds.
    """

    pid: str
    entry: str
    host: str
    failure: Failure
    at: float
