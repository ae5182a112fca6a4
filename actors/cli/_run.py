"""`tutela run`."""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from actors.cli._options import AppOptions, LogOptions, app_options, log_options, path_argument, state_option

if TYPE_CHECKING:
    from actors import Runtime, ServiceState
    from actors.config import Config

log = logging.getLogger("actors.cli")

_LATER = (
    "commands on a terminal host are not there yet, they come with the next version; "
    "without a command, `tutela run PATH` starts the services"
)


@click.command()
@path_argument
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("-x", "--exec", "execute", metavar="ID", help="Run one process on a terminal host (not yet).")
@click.option("--host", metavar="ID", help="The terminal host for it (not yet).")
@state_option
@click.option("--strict-start", is_flag=True, help="Exit with 1 when a required service does not start.")
@app_options
@log_options
def run(
    path: Path,
    command: tuple[str, ...],
    execute: str | None,
    host: str | None,
    state: Path | None,
    strict_start: bool,
    app: AppOptions,
    log: LogOptions,
) -> None:
    """Run the app in folder PATH until a signal.

    Starts its services and watches over them. Ctrl-C (or SIGTERM) stops them in order, exit code 0; a second one ends
    the program at once, exit code 1.
    """
    if command or execute or host:
        raise click.UsageError(f"run {' '.join(command) or f'-x {execute or host}'}: {_LATER}")
    from actors.cli._logging import set_up_logging

    # code of the app that is written in Python is found as if the program had been started in its folder
    sys.path.insert(0, str(path.resolve()))
    config = app.configuration(path)
    set_up_logging(log, config)
    with _Signals() as signals:
        code = _serve(_load(path, app, config, state), signals, strict_start)
    raise click.exceptions.Exit(code)


def _load(path: Path, app: AppOptions, config: Config, state: Path | None) -> Runtime:
    entries = app.registry(path, config)
    from actors import Runtime
    from actors.control import state_folder

    node = config.node_name or os.environ.get("WIPPY_NODE_ID", "")
    return Runtime(entries, state=state_folder(state), node=node, shutdown_timeout=config.shutdown_timeout)


class _Signals:
    """Turns the first SIGINT or SIGTERM into an item of `events`; the second ends the program at once."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
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
        self.events.put(None)


def _serve(rt: Runtime, signals: _Signals, strict_start: bool) -> int:
    """Start, wait for a signal, stop; return the exit code."""
    from actors.control import ControlServer, state_folder
    from actors.inspection import ps_handler

    # on a thread of its own, so that a signal is heard while services start
    def start() -> None:
        try:
            rt.start()
            outcome: Exception | None = None
        except Exception as error:
            outcome = error
        signals.events.put(lambda: outcome)

    control = ControlServer(rt.state or state_folder(), {"ps": ps_handler(rt)})
    control.start()
    try:
        log.info("state folder %s", control.path.parent)
        starter = threading.Thread(target=start, name="tutela-start", daemon=True)
        starter.start()
        started = signals.events.get()
        try:
            if started is not None:
                failure = started()
                if failure is not None:
                    raise failure
                if not _report_start(rt) and strict_start:
                    return 1
                log.info("runtime ready")
                signals.events.get()
            log.info("stopping")
        finally:
            rt.stop()
            starter.join(1.0)
    finally:
        control.stop()
    log.info("stopped")
    return 0


def _report_start(rt: Runtime) -> bool:
    """Log which required services have not come up, and tell whether there are none."""
    failed = [service for service in rt.services() if _has_not_started(service) and _required(rt, service.id)]
    if failed:
        listed = "; ".join(f"{service.id} ({service.details or service.status})" for service in failed)
        log.error("%d services have not started: %s", len(failed), listed)
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
