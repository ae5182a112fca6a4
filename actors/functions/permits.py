"""The bounds of pools that hold for the whole runtime: who may run a call now, and who waits in which order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from actors.vm.door import Door
from actors.vm.wire import Input

GO: Final = "go"
WAIT: Final = "wait"
FULL: Final = "full"

_Ticket = tuple[int, int]  # VM, number


@dataclass(slots=True)
class _Pool:
    bound: int
    buffer: int
    total: int = 0  # calls that run
    running: dict[int, int] = field(default_factory=dict)  # by VM
    waiting: deque[_Ticket] = field(default_factory=deque)

    def add(self, vm: int) -> None:
        self.total += 1
        self.running[vm] = self.running.get(vm, 0) + 1

    def drop(self, vm: int) -> None:
        self.total -= 1
        self.running[vm] -= 1


class Permits:
    """Counts the calls of functions whose entries bound them. Kernels ask through the door; who has to wait is told
    later, with the number of its ticket, in the order in which it asked. Safe from any thread; nothing waits.

    Args:
        post: gives a record to a VM.
    """

    def __init__(self, post: Callable[[int, list[Any]], None]) -> None:
        self._post = post
        self._lock = threading.Lock()  # guards the pools; nothing is posted while it is held
        self._pools: dict[str, _Pool] = {}

    def add_to(self, door: Door) -> None:
        """Let kernels ask."""

        def take(id: bytes, vm: bytes, ticket: bytes, bound: bytes, buffer: bytes) -> bytes:
            return self.take(_text(id), int(vm), int(ticket), int(bound), int(buffer)).encode()

        def release(id: bytes, vm: bytes) -> bytes:
            self.release(_text(id), int(vm))
            return b""

        def leave(id: bytes, vm: bytes, ticket: bytes) -> bytes:
            self.leave(_text(id), int(vm), int(ticket))
            return b""

        door.add("permit.take", take)
        door.add("permit.release", release)
        door.add("permit.leave", leave)

    def take(self, id: str, vm: int, ticket: int, bound: int, buffer: int) -> str:
        """Ask for a call to run: `GO`, `WAIT` (in the buffer), or `FULL` (behind a full buffer: its caller waits)."""
        with self._lock:
            pool = self._pools.get(id)
            if pool is None:
                pool = self._pools[id] = _Pool(bound, buffer)
            pool.bound, pool.buffer = bound, buffer
            if pool.total < bound and not pool.waiting:
                pool.add(vm)
                return GO
            pool.waiting.append((vm, ticket))
            told = self._serve(pool)  # the bound may have grown since the last call
            verdict = WAIT if len(pool.waiting) <= buffer else FULL
        self._tell(told)
        return verdict

    def release(self, id: str, vm: int) -> None:
        """End a call that ran."""
        with self._lock:
            pool = self._pools[id]
            pool.drop(vm)
            if not pool.waiting:
                return
            told = self._serve(pool)
        self._tell(told)

    def leave(self, id: str, vm: int, ticket: int) -> None:
        """Drop a ticket; if its word was on the way already, its place is free again."""
        with self._lock:
            pool = self._pools[id]
            place = next((i for i, waiting in enumerate(pool.waiting) if waiting == (vm, ticket)), None)
            if place is None:
                pool.drop(vm)
                told = self._serve(pool)
            else:
                del pool.waiting[place]
                told = self._admitted(pool) if place < pool.buffer else []
        self._tell(told)

    def lose(self, vm: int) -> None:
        """Forget a VM that is gone: its calls run no more."""
        told = []
        with self._lock:
            for pool in self._pools.values():
                pool.total -= pool.running.pop(vm, 0)
                before = len(pool.waiting)
                pool.waiting = deque(ticket for ticket in pool.waiting if ticket[0] != vm)
                if len(pool.waiting) < before:
                    told += [(ticket, False) for ticket in list(pool.waiting)[: pool.buffer]]
                told += self._serve(pool)
        self._tell(told)

    def _serve(self, pool: _Pool) -> list[tuple[_Ticket, bool]]:
        told = []
        while pool.waiting and pool.total < pool.bound:
            ticket = pool.waiting.popleft()
            pool.add(ticket[0])
            told.append((ticket, True))
            told += self._admitted(pool)
        return told

    def _admitted(self, pool: _Pool) -> list[tuple[_Ticket, bool]]:
        # one before it went: the last in the buffer was behind it until now
        if pool.buffer and len(pool.waiting) >= pool.buffer:
            return [(pool.waiting[pool.buffer - 1], False)]
        return []

    def _tell(self, told: list[tuple[_Ticket, bool]]) -> None:
        for (vm, ticket), go in told:
            self._post(vm, [Input.PERMIT, ticket, go])


def _text(id: bytes) -> str:
    return id.decode("utf-8", "surrogateescape")
