"""The memory that a VM publishes: counters, and which generation of each of its slots lives.

Every kernel reads it through its own `ffi`, and Python through this class, so that a `send` knows at once whether its
target lives, on whichever VM, and inspection answers while a VM is stuck. Written by one VM only. The pages are taken
from the system when they are first written.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from dataclasses import dataclass
from typing import Final

SLOTS: Final = 1 << 22
_HEADER: Final = 4096
_ENTRY: Final = _HEADER + SLOTS * 4
_SIZE: Final = _ENTRY + SLOTS * 4
_COUNTERS: Final = struct.Struct("=12I")


@dataclass(frozen=True, slots=True)
class Counters:
    """What a VM has done: living processes, processes ever spawned and failed, messages sent, dead letters.

    `cpu_bound` counts the processes that used up their slices in the last round, `limit` is the most that may live.
    """

    processes: int
    cpu_bound: int
    running_slot: int
    limit: int
    spawned: int
    failed: int
    sent: int
    dead_letters: int


class VMMemory:
    """The memory of one VM, or of the Python program itself (VM 0)."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, _SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._pin = ctypes.c_char.from_buffer(self._map)
        self.header = ctypes.addressof(self._pin)
        self.generations = self.header + _HEADER
        view = memoryview(self._map)
        self._gens = view[_HEADER:_ENTRY].cast("I")
        self._entries = view[_ENTRY:].cast("I")
        self._lost = False

    def alive(self, slot: int, generation: int) -> bool:
        """Tell whether the process with this slot and generation lives at this moment."""
        return not self._lost and self._gens[slot] == generation + 1

    def publish(self, slot: int, generation: int | None) -> None:
        """Set a slot of VM 0; None when what lived there has ended."""
        self._gens[slot] = 0 if generation is None else generation + 1

    def lose(self) -> None:
        """Declare all dead: the VM was given up. What it still writes is not looked at."""
        self._lost = True

    @property
    def lost(self) -> bool:
        """Tell whether the VM is gone."""
        return self._lost

    def living(self) -> list[tuple[int, int, int]]:
        """Return (slot, generation, entry number) of every living process, by slot."""
        if self._lost:
            return []
        used = struct.unpack_from("=I", self._map, 16)[0]
        gens = self._gens[:used].tolist()
        return [(slot, gen - 1, self._entries[slot]) for slot, gen in enumerate(gens) if gen]

    def at(self, slot: int) -> tuple[int, int] | None:
        """Return (generation, entry number) of the process in a slot, or None."""
        gen = self._gens[slot]
        return (gen - 1, self._entries[slot]) if gen else None

    def counters(self) -> Counters:
        """Return the counters as they stood at the end of the VM's last step."""
        values = _COUNTERS.unpack_from(self._map, 0)
        return Counters(0 if self._lost else values[0], *values[1:4], *values[8:])
