"""How `max_processes` of a host is shared out to its VMs, so that it holds exactly however many there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.hosts.worker import VMWorker


class Shares:
    """What each VM may have. The sum never exceeds the limit: what is taken from a VM counts as its own until it has
    published a lower bound, which it does as its processes end. Guarded by the lock of its host.

    Args:
        limit: of the host; 0 for none.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._granted: dict[int, int] = {}  # by place
        self._lowered: set[int] = set()  # places that were asked to give back

    def grant(self, place: int, wanted: int) -> int:
        """Give a new VM what it should have, or what is left."""
        share = max(0, min(wanted, self._limit - sum(self._granted.values())))
        self._granted[place] = share
        return share

    def lower(self, place: int, wanted: int) -> None:
        """Note that a VM was asked to keep no more than `wanted`."""
        if self._granted.get(place, 0) > wanted:
            self._lowered.add(place)

    def free(self, place: int) -> None:
        """Take back what a VM had that is gone."""
        self._granted.pop(place, None)
        self._lowered.discard(place)

    def spread(self, workers: Mapping[int, VMWorker], part: Callable[[int], int]) -> list[tuple[int, int]]:
        """Give what has come back to the VMs that have less than their part; returns the new share of each."""
        if not self._lowered and sum(self._granted.values()) >= self._limit:
            return []
        for place in list(self._lowered):
            worker = workers.get(place)
            if worker is not None:
                self._granted[place] = min(self._granted[place], worker.counters().limit)
            if self._granted[place] <= part(place):
                self._lowered.discard(place)
        left = self._limit - sum(self._granted.values())
        changed = []
        for place in workers:
            more = min(left, part(place) - self._granted.get(place, 0))
            if more > 0 and place not in self._lowered:
                self._granted[place] = self._granted.get(place, 0) + more
                left -= more
                changed.append((place, self._granted[place]))
        return changed
