"""Events of a runtime for those who watch it from Python."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from actors.errors import Failure
from actors.hosts import ProcessEnded
from actors.supervision import ServiceState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceChanged:
    """A service changed its status or details.

    Attributes:
        state: the record after the change.
        retry_in: seconds until the next attempt to start; None when none is planned.
        failure: why it failed or exited.
    """

    state: ServiceState
    retry_in: float | None = None
    failure: Failure | None = None


RuntimeEvent = ServiceChanged | ProcessEnded


class Watchers:
    """The callbacks that want events. An error in one is logged and keeps nobody else from hearing."""

    def __init__(self) -> None:
        self._callbacks: tuple[Callable[[RuntimeEvent], None], ...] = ()

    def add(self, callback: Callable[[RuntimeEvent], None]) -> Callable[[], None]:
        """Call `callback` with every event from now on; the result ends that."""
        self._callbacks = (*self._callbacks, callback)

        def remove() -> None:
            self._callbacks = tuple(other for other in self._callbacks if other is not callback)

        return remove

    def tell(self, event: RuntimeEvent) -> None:
        """Tell everybody."""
        for callback in self._callbacks:
            try:
                callback(event)
            except Exception:
                log.exception("a watcher of the runtime failed on %r", event)
