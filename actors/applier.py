"""Applies change sets that processes ask for (spec lua-api.md §18): on a thread of its own, one after another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actors.actor import Actor
from actors.clock import Clock
from actors.errors import INTERNAL, UNAVAILABLE, Failure
from registry import ChangeSet, Registry, RegistryError

if TYPE_CHECKING:
    from actors.hosts.switchboard import Switchboard
    from actors.hosts.worker import VMWorker

log = logging.getLogger(__name__)


class Applier:
    """Serves ``registry.apply`` and ``registry.apply_version`` of VMs. Its thread starts with the first request.

    An apply waits for the handlers of the registry, so it must not happen on the thread of a VM.
    """

    def __init__(self, board: Switchboard, registry: Registry, clock: Clock) -> None:
        self._board = board
        self._registry = registry
        self._clock = clock
        self._lock = threading.Lock()  # guards the start and the end of the thread
        self._actor: Actor | None = None
        self._closed = False
        board.serve("registry.apply", self._serve(self._apply))
        board.serve("registry.apply_version", self._serve(self._go_to))

    def close(self) -> None:
        """End the thread; what is being applied is finished before."""
        with self._lock:
            self._closed = True
            actor, self._actor = self._actor, None
        if actor is not None:
            actor.stop()
            actor.join(10.0)

    def _serve(self, work: Callable[[Any], Any]) -> Callable[[VMWorker, int | None, str, Any], None]:
        def serve(worker: VMWorker, ref: int | None, pid: str, arguments: Any) -> None:
            with self._lock:
                if self._actor is None and not self._closed:
                    self._actor = Actor.launch(clock=self._clock, name="registry")
                actor = self._actor
            if actor is None:
                self._board.answer(worker, ref, False, Failure("the runtime is stopping", UNAVAILABLE, True))
            else:
                actor.post(lambda: self._board.answer(worker, ref, *self._outcome(work, arguments)))

        return serve

    def _outcome(self, work: Callable[[Any], Any], arguments: Any) -> tuple[bool, Any]:
        try:
            return True, work(arguments)
        except RegistryError as error:
            return False, Failure(error.message, error.kind, error.retryable, error.details)
        except Exception as error:
            log.exception("a change of the registry failed")
            return False, Failure(f"{type(error).__name__}: {error}", INTERNAL)

    def _apply(self, operations: list[dict[str, Any]]) -> int:
        changes = ChangeSet()
        for operation in operations:
            kind, entry = operation["kind"], operation["entry"]
            if kind == "entry.create":
                changes.create(entry)
            elif kind == "entry.update":
                changes.update(entry)
            else:
                changes.delete(entry["id"])
        return self._registry.apply(changes).id

    def _go_to(self, version: int) -> int:
        return self._registry.apply_version(version).id
