"""The name registry of the runtime (spec processes.md §10): one authority, a replica in every VM."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Names:
    """Names and the PIDs that they are bound to. Safe from any thread.

    Every change is told to `changed` under the lock, so that all VMs hear of the changes in one order; it must not
    block and not call back.
    """

    def __init__(self, changed: Callable[[str, str | None], None]) -> None:
        self._lock = threading.Lock()  # guards the two maps and the order in which changes are told
        self._pids: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        self._changed = changed

    def claim(self, name: str, pid: str) -> str:
        """Bind a free name; return the PID that holds it now: `pid` or another."""
        with self._lock:
            holder = self._pids.get(name)
            if holder is None:
                self._pids[name] = pid
                self._names.setdefault(pid, set()).add(name)
                self._changed(name, pid)
                return pid
            return holder

    def release(self, pid: str) -> None:
        """Free all names of a process that ended."""
        with self._lock:
            for name in self._names.pop(pid, ()):
                del self._pids[name]
                self._changed(name, None)

    def unregister(self, name: str) -> bool:
        """Free one name; tell whether it was bound."""
        with self._lock:
            pid = self._pids.pop(name, None)
            if pid is None:
                return False
            names = self._names[pid]
            names.discard(name)
            if not names:
                del self._names[pid]
            self._changed(name, None)
            return True

    def lookup(self, name: str) -> str | None:
        """Return the PID that a name is bound to."""
        return self._pids.get(name)

    def of(self, pid: str) -> tuple[str, ...]:
        """Return the names of a process, sorted."""
        with self._lock:
            return tuple(sorted(self._names.get(pid, ())))

    def snapshot(self, tell: Callable[[list[tuple[str, str]]], None]) -> None:
        """Give all bindings to `tell` while no change can come between: for a VM that joins."""
        with self._lock:
            tell(list(self._pids.items()))

    def release_if(self, gone: Callable[[str], bool]) -> None:
        """Free the names of all PIDs for which `gone` is true: a VM was lost."""
        with self._lock:
            pids = [pid for pid in self._names if gone(pid)]
        for pid in pids:
            self.release(pid)
