"""What the registry and the supervisor tell on the event bus, and what they take from it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from actors.errors import Failure
from actors.events import BusEvent, EventBus
from actors.reading import entry_record
from actors.supervision import RootSupervisor, ServiceState, ServiceUpdate
from registry import Entry, Event, Registry, RegistryError

log = logging.getLogger(__name__)

SUPERVISOR: Final = "supervisor"
"""The system of service events on the bus."""


class Reporter:
    """Sends the events of the registry and of services on the bus, and starts and stops services that events name
    (spec registry.md §6.4, supervision.md §8).
    """

    def __init__(self, bus: EventBus, registry: Registry) -> None:
        self._bus = bus
        self._registry = registry
        self._applying = False  # written by the thread that applies, read by any
        self._ends: list[Callable[[], None]] = []

    def begin(self, root: RootSupervisor) -> None:
        """Begin, before the first event of the registry."""

        def control(event: BusEvent) -> None:
            if self._applying:
                log.warning("%s of %s is ignored: a change of the registry is going on", event.kind, event.path)
            elif event.kind == "service.start":
                root.start_service(event.path)
            else:
                root.stop_service(event.path)

        self._ends = [
            self._registry.watch(self._registry_changed),
            self._bus.watch(SUPERVISOR, "service.start", control),
            self._bus.watch(SUPERVISOR, "service.stop", control),
        ]

    def end(self) -> None:
        """Tell and take nothing more."""
        for end in self._ends:
            end()
        self._ends = []

    def service_changed(self, update: ServiceUpdate) -> None:
        """Tell the state of a service; on any thread."""
        self._bus.publish(SUPERVISOR, "service.update", update.state.id, lambda: state_record(update.state))

    def _registry_changed(self, event: Event) -> None:
        if event.kind == "registry.begin":
            self._applying = True
        elif event.kind in ("registry.commit", "registry.discard"):
            self._applying = False
        self._bus.publish(event.system, event.kind, event.path, lambda: _data(event.data))


def state_record(state: ServiceState) -> dict[str, Any]:
    """Return the state of a service as Lua sees it."""
    record = {
        "id": state.id,
        "status": str(state.status),
        "desired": str(state.desired),
        "retry_count": state.retry_count,
        "details": state.details,
        "last_update": state.last_update,
        "started_at": state.started_at,
    }
    return {key: value for key, value in record.items() if value is not None}


def _data(data: Any) -> Any:
    if isinstance(data, Entry):
        return entry_record(data)
    if isinstance(data, RegistryError):
        return Failure(data.message, data.kind, data.retryable, data.details)
    if isinstance(data, BaseException):
        return Failure(str(data))
    return data
