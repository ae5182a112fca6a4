"""Process groups: who belongs to which group of which scope (spec processes.md §11)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from actors.errors import NOT_FOUND, RATE_LIMITED, UNAVAILABLE, Failure, ProcessError
from actors.hosts.pid import Pid
from actors.supervision import Exited, Report, Started
from actors.vm.wire import Input, pack, unpack

if TYPE_CHECKING:
    from actors.hosts.switchboard import Switchboard

JOINED: Final = "member.joined"
LEFT: Final = "member.left"


@dataclass(slots=True)
class _Scope:
    """One scope while its service runs. Members are counted: a PID stands in its group once for each join."""

    max_groups: int
    max_members: int
    groups: dict[str, dict[str, int]] = field(default_factory=dict)
    of: dict[str, dict[str, None]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    # who hears of a group, and (under None) of all: PID and number of the subscription
    listeners: dict[str | None, dict[tuple[str, int], None]] = field(default_factory=dict)

    def check_limits(self, names: list[str]) -> None:
        joins: dict[str, int] = {}
        for name in names:
            joins[name] = joins.get(name, 0) + 1
        new = sum(name not in self.groups for name in joins)
        if self.max_groups and new and len(self.groups) + new > self.max_groups:
            raise ProcessError(f"the scope has at most {self.max_groups} groups", kind=RATE_LIMITED)
        for name, count in joins.items():
            if self.max_members and self.sizes.get(name, 0) + count > self.max_members:
                raise ProcessError(f"the group {name} has at most {self.max_members} members", kind=RATE_LIMITED)

    def join(self, pid: str, name: str, count: int) -> None:
        members = self.groups.setdefault(name, {})
        members[pid] = members.get(pid, 0) + count
        self.sizes[name] = self.sizes.get(name, 0) + count
        self.of.setdefault(pid, {})[name] = None

    def leave(self, pid: str, name: str, most: int | None = None) -> int:
        """Take up to `most` joins back (all without it); return how many it were."""
        members = self.groups.get(name, {})
        held = members.get(pid, 0)
        count = held if most is None else min(held, most)
        if not count:
            return 0
        self.sizes[name] -= count
        if count < held:
            members[pid] = held - count
            return count
        del members[pid]
        del self.of[pid][name]
        if not self.of[pid]:
            del self.of[pid]
        if not members:
            del self.groups[name]
            del self.sizes[name]
        return count

    def members(self, name: str) -> list[str]:
        return [pid for pid, count in self.groups.get(name, {}).items() for _ in range(count)]


class Groups:
    """All scopes of a runtime that run. Safe from any thread; nothing in it waits.

    VMs reach it through the door, so that a join is known everywhere when it returns. Every event is handed to the VMs
    under the lock: whoever subscribes gets the members of that moment and then every change after it.
    """

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._lock = threading.Lock()  # guards the scopes and the order of their events; no VM is waited for under it
        self._scopes: dict[str, _Scope] = {}
        board.on_departure(self._on_departure)

    def open(self, id: str, max_groups: int = 0, max_members: int = 0) -> None:
        """Begin a scope, without any group; 0 means no limit."""
        with self._lock:
            self._scopes[id] = _Scope(max_groups, max_members)

    def close(self, id: str) -> None:
        """End a scope: what uses it gives Unavailable from now on, and its groups are gone."""
        with self._lock:
            self._scopes.pop(id, None)

    def members(self, id: str, name: str) -> list[str]:
        """Return the PIDs of a group, one for each join.

        Raises:
            ProcessError: Unavailable, when the scope does not run.
        """
        with self._lock:
            return self._scope(id).members(name)

    def call(self, operation: bytes, id: bytes, pid: bytes, arguments: bytes) -> bytes:
        """Answer the door: an operation of process `pid` in a scope, arguments and result packed."""
        name = operation.decode()
        member = pid.decode("utf-8", "surrogateescape")
        if name == "drop":
            self.drop(member)
            return b""
        given = unpack(arguments)
        with self._lock:
            scope = self._scope(id.decode("utf-8", "surrogateescape"))
            return pack(_OPERATIONS[name](self, scope, member, given))  # plain as it is: names, PIDs

    def drop(self, pid: str) -> None:
        """End all memberships and subscriptions of a process that ended."""
        with self._lock:
            for scope in self._scopes.values():
                self._drop(scope, pid)

    def _drop(self, scope: _Scope, pid: str) -> None:
        for key in [key for key, listeners in scope.listeners.items() if any(one[0] == pid for one in listeners)]:
            self._unlisten(scope, key, [one for one in scope.listeners[key] if one[0] == pid])
        for name in list(scope.of.get(pid, ())):
            count = scope.leave(pid, name)
            self._tell(scope, LEFT, name, [pid] * count)

    def _scope(self, id: str) -> _Scope:
        scope = self._scopes.get(id)
        if scope is None:
            raise ProcessError(f"the scope {id} does not run", kind=UNAVAILABLE, retryable=True)
        return scope

    def _join(self, scope: _Scope, pid: str, names: list[str]) -> bool:
        scope.check_limits(names)
        for name, count in _counted(names):
            scope.join(pid, name, count)
            self._tell(scope, JOINED, name, [pid] * count)
        return True

    def _leave(self, scope: _Scope, pid: str, names: list[str]) -> bool:
        left = 0
        for name, wanted in _counted(names):
            count = scope.leave(pid, name, wanted)
            left += count
            if count:
                self._tell(scope, LEFT, name, [pid] * count)
        if not left:
            raise ProcessError(f"not a member of {', '.join(dict.fromkeys(names))}", kind=NOT_FOUND)
        return True

    def _members(self, scope: _Scope, pid: str, name: str) -> list[str]:
        return scope.members(name)

    def _which(self, scope: _Scope, pid: str, nothing: None) -> list[str]:
        return sorted(scope.groups)

    def _monitor(self, scope: _Scope, pid: str, given: dict[str, Any]) -> Any:
        name: str | None = given.get("group")
        scope.listeners.setdefault(name, {})[(pid, given["number"])] = None
        if name is None:
            return {group: scope.members(group) for group in scope.groups}
        return scope.members(name)

    def _forget(self, scope: _Scope, pid: str, number: int) -> bool:
        for key in list(scope.listeners):
            self._unlisten(scope, key, [(pid, number)])
        return True

    def _open(self, scope: _Scope, pid: str, nothing: None) -> bool:
        return True

    def _unlisten(self, scope: _Scope, key: str | None, gone: Iterable[tuple[str, int]]) -> None:
        listeners = scope.listeners[key]
        for one in gone:
            listeners.pop(one, None)
        if not listeners:
            del scope.listeners[key]

    def _tell(self, scope: _Scope, kind: str, name: str, pids: list[str]) -> None:
        targets: dict[int, list[Any]] = {}
        for pid, number in (*scope.listeners.get(name, ()), *scope.listeners.get(None, ())):
            parsed = Pid.parse(pid)
            if parsed is not None:
                targets.setdefault(parsed.vm, []).extend((pid, number))
        for worker in self._board.workers() if targets else ():
            if worker.vm in targets:
                data = {"Group": name, "PIDs": pids}
                worker.post([Input.FEED, targets[worker.vm], "pg", kind, name, data, None])

    def _on_departure(self, vm: int) -> None:
        def gone(pid: str) -> bool:
            parsed = Pid.parse(pid)
            return parsed is not None and parsed.vm == vm

        with self._lock:
            for scope in self._scopes.values():
                listening = {one[0] for listeners in scope.listeners.values() for one in listeners}
                for pid in [pid for pid in {*scope.of, *listening} if gone(pid)]:
                    self._drop(scope, pid)


_OPERATIONS: Final[dict[str, Callable[[Groups, _Scope, str, Any], Any]]] = {
    "open": Groups._open,
    "join": Groups._join,
    "leave": Groups._leave,
    "members": Groups._members,
    "which": Groups._which,
    "monitor": Groups._monitor,
    "forget": Groups._forget,
}


def _counted(names: list[str]) -> Iterator[tuple[str, int]]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    yield from counts.items()


class ScopeDriver:
    """One life of a `pg.scope` service."""

    def __init__(self, groups: Groups, id: str, max_groups: int, max_members: int) -> None:
        self._groups = groups
        self._id = id
        self._limits = max_groups, max_members
        self._report: Report = lambda event: None
        self._ended = False

    def start(self, report: Report) -> None:
        """Open the scope."""
        self._report = report
        self._groups.open(self._id, *self._limits)
        report(Started())

    def stop(self, reason: str) -> None:
        """Close it."""
        if not self._ended:
            self._ended = True
            self._groups.close(self._id)
            self._report(Exited(Failure(reason, "Canceled")))

    def kill(self) -> None:
        """Close it."""
        self.stop("scope stopped")
