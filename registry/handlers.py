"""How others take part in an apply, and what they are told about it (spec registry.md §6.3, §6.4)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from registry.changes import Operation

_log = logging.getLogger(__name__)

PASSIVE_KINDS: Final = frozenset({"registry.entry", "ns.definition", "ns.requirement", "ns.dependency"})
"""Kinds that are stored without asking a handler and without an event."""

BEGIN: Final = "registry.begin"
COMMIT: Final = "registry.commit"
DISCARD: Final = "registry.discard"
ACCEPT: Final = "entry.accept"
REJECT: Final = "entry.reject"


class Handler(Protocol):
    """Builds, changes and removes the things that entries describe.

    All calls of one apply come from the thread that applies, in this order: `prepare` for each operation, then
    `commit`; or, when one operation is refused, `undo` for each accepted one in reverse, then `discard`.
    A handler may read the registry (it shows the old state until the commit) but must not apply changes.
    """

    def prepare(self, operation: Operation) -> None:
        """Accept an operation by returning, refuse it by raising.

        An error with ``kind == "NotFound"`` means "not yet": the operation is tried again after the others. Nothing
        may start here; what was prepared takes effect at `commit`.
        """

    def undo(self, operation: Operation) -> None:
        """Take back an operation that was accepted."""

    def commit(self, operations: Sequence[Operation]) -> None:
        """All are accepted and the registry shows the new state: start, change and stop what they describe."""

    def discard(self) -> None:
        """The apply failed and everything accepted was undone."""


@dataclass(frozen=True, slots=True)
class Event:
    """What watchers receive.

    Attributes:
        kind: ``registry.begin|commit|discard`` or ``entry.create|update|delete|accept|reject``.
        path: the transaction for the former, the entry id for the latter.
        data: the entry; for a reject the error; else None.
        system: always ``registry``.
    """

    kind: str
    path: str
    data: Any = None
    system: str = "registry"


Watcher = Callable[[Event], None]


class Watchers:
    """The callbacks that want events. An error in one is logged and keeps nobody else from hearing."""

    def __init__(self) -> None:
        self._callbacks: tuple[Watcher, ...] = ()

    def add(self, callback: Watcher) -> Callable[[], None]:
        """Call `callback` with every event from now on; the result ends that."""
        self._callbacks = (*self._callbacks, callback)

        def remove() -> None:
            self._callbacks = tuple(other for other in self._callbacks if other is not callback)

        return remove

    def emit(self, kind: str, path: str, data: Any = None) -> None:
        """Tell everybody."""
        for callback in self._callbacks:
            try:
                callback(Event(kind, path, data))
            except Exception:
                _log.exception("a registry watcher failed on %s %s", kind, path)
