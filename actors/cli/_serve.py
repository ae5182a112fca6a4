"""A runtime in a program of its own: signals, the control socket, and one process on the terminal if one is wanted."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

if TYPE_CHECKING:
    from actors import Runtime, ServiceState
    from actors.cli._commands import Main

log = logging.getLogger("actors.cli")

_HOST_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Signalled:
    """SIGINT or SIGTERM came."""


@dataclass(frozen=True, slots=True)
class Started:
    """The start is over: everything runs as far as it will, or `failure` is why nothing does."""

    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The app asks to end, with this exit code."""

    code: int


Event: TypeAlias = Signalled | Started | Ended


class Signals:
    """Turns the first SIGINT or SIGTERM into an item of `events`; the second ends the program at once."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            # no clean-up whatever: what hangs may be the clean-up
            os.write(2, b"tutela: stopped at once\n")
            os._exit(1)
        self.events.put(Signalled())


def serve(rt: Runtime, signals: Signals, *, strict_start: bool = False, main: Main | None = None) -> int:
    """Start, run until a signal or until the app ends by itself, stop; return the exit code.

    Raises:
        Exception: what kept the start from going on.
    """
    events = signals.events
    rt.ending.watch(lambda code: events.put(Ended(code)))

    # on a thread of its own, so that a signal is heard while services start
    def start() -> None:
        try:
            rt.start()
            if main is not None:
                _run_main(rt, main)
            failure: Exception | None = None
        except Exception as error:
            failure = error
        events.put(Started(failure))

    starter = threading.Thread(target=start, name="tutela-start", daemon=True)
    with _control(rt, needed=main is None):
        starter.start()
        try:
            code = _follow(rt, events, strict_start)
            log.info("stopping")
        finally:
            rt.stop()
            starter.join(1.0)
    log.info("stopped")
    return code


def _follow(rt: Runtime, events: queue.SimpleQueue[Event], strict_start: bool) -> int:
    while True:
        match events.get():
            case Signalled():
                return 0
            case Ended(code):
                return code
            case Started(failure):
                if rt.ending.code is not None:
                    return rt.ending.code
                if failure is not None:
                    raise failure
                if not _report_start(rt) and strict_start:
                    return 1
                log.info("runtime ready")


@contextlib.contextmanager
def _control(rt: Runtime, needed: bool) -> Iterator[None]:
    """Serve the control socket meanwhile. A command does without when another program has the state folder."""
    from actors.control import ControlError, ControlServer, state_folder
    from actors.inspection import ps_handler

    control = ControlServer(rt.state or state_folder(), {"ps": ps_handler(rt)})
    try:
        control.start()
    except ControlError:
        if needed:
            raise
        log.debug("another program has the state folder %s: no control socket", control.path.parent)
        yield
        return
    log.info("state folder %s", control.path.parent)
    try:
        yield
    finally:
        control.stop()


def _run_main(rt: Runtime, main: Main) -> None:
    """Wait for the terminal host, and spawn the process on it.

    Raises:
        click.ClickException: the host does not come up. ProcessError: the process does not.
    """
    from actors import ProcessError

    model = rt.registry.decode(rt.registry.get(main.host))
    try:
        rt.start_service(main.host, max(_HOST_SECONDS, model.lifecycle.start_timeout))
    except (ProcessError, TimeoutError) as error:
        states = [f"{state.status}{f': {state.details}' if state.details else ''}" for state in _states(rt, main.host)]
        raise click.ClickException(
            f"the terminal host {main.host} does not run ({''.join(states) or error})"
        ) from error
    rt.spawn(main.entry, main.host, *main.args)


def _states(rt: Runtime, id: str) -> list[ServiceState]:
    return [state for state in rt.services() if state.id == id]


def _report_start(rt: Runtime) -> bool:
    """Log which required services have not come up, and tell whether there are none."""
    failed = [service for service in rt.services() if _has_not_started(service) and _required(rt, service.id)]
    if failed:
        listed = "; ".join(f"{service.id} ({service.details or service.status})" for service in failed)
        count = "1 service has" if len(failed) == 1 else f"{len(failed)} services have"
        log.error("%s not started: %s", count, listed)
    return not failed


def _has_not_started(service: ServiceState) -> bool:
    # one that ran and has ended since, well or by a terminal error, has started
    return service.status in ("failed", "unknown") or (service.status == "exited" and service.started_at is None)


def _required(rt: Runtime, id: str) -> bool:
    data = rt.registry.get(id).data if id in rt.registry else None
    lifecycle = data.get("lifecycle") if isinstance(data, dict) else None
    if not isinstance(lifecycle, dict):
        return False
    return lifecycle.get("auto_start") is True and lifecycle.get("startup") != "optional"
