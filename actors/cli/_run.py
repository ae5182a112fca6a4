"""`tutela run`."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actors.cli._options import AppOptions, LogOptions, app_options, log_options, path_argument, state_option

if TYPE_CHECKING:
    from actors import Runtime
    from actors.cli._commands import Main
    from actors.config import Config
    from registry import Registry


class _WithCommand(click.Command):
    """Its own flags end where the app's command begins: what follows belongs to that, flags and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._guarded(list(args)))

    def _guarded(self, args: list[str]) -> list[str]:
        takers = {
            name
            for parameter in self.params
            if isinstance(parameter, click.Option) and not parameter.is_flag and not parameter.count
            for name in parameter.opts
        }
        place, found = 0, False
        while place < len(args):
            arg = args[place]
            if arg == "--":
                return args
            if arg.startswith("-") and arg != "-":
                name = arg.partition("=")[0] if arg.startswith("--") else arg[:2]
                # a short one may hold its value, -xns:name
                place += 2 if name in takers and arg == name else 1
                continue
            if found:
                return [*args[:place], "--", *args[place:]]
            found = True
            place += 1
        return args


@click.command(cls=_WithCommand)
@path_argument
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND [ARGS]...]")
@click.option("-x", "--exec", "execute", metavar="ID", help="Run this process entry on a terminal host.")
@click.option("--host", metavar="ID", help="The terminal host for a command or -x. Default: the only one.")
@state_option
@click.option("--reload", is_flag=True, help="Follow the files: apply what changes in them while the app runs.")
@click.option("--strict-start", is_flag=True, help="Exit with 1 when a required service does not start.")
@app_options
@log_options
def run(
    path: Path,
    command: tuple[str, ...],
    execute: str | None,
    host: str | None,
    state: Path | None,
    reload: bool,
    strict_start: bool,
    app: AppOptions,
    log: LogOptions,
) -> None:
    """Run the app in folder PATH until a signal, or one of its commands until that ends.

    Starts its services and watches over them. Ctrl-C (or SIGTERM) stops them in order, exit code 0; a second one ends
    the program at once, exit code 1.

    With COMMAND, or -x ID, that process runs on a terminal host besides, and its end is that of the program: a number
    that it returns is the exit code, a text is printed, an error is told on stderr and gives 1. Flags stand before the
    command; all that follows is for it. The log is silent then unless -v, -c or -s says otherwise.

    `tutela run PATH list` lists the commands, with --json after it as JSON.
    """
    from actors.cli._commands import command_main, entry_main

    config = app.configuration(path)
    main: Main | None = None
    entries: Registry | None = None
    if execute is not None:
        entries = app.registry(path, config)
        main = entry_main(entries, execute, command, host)
    elif command in (("list",), ("list", "--json")):
        _list(app.registry(path, config), as_json=len(command) > 1)
        return
    elif command:
        entries = app.registry(path, config)
        main = command_main(entries, command[0], command[1:], host)
    elif host is not None:
        raise click.UsageError("--host is for a command or -x")
    raise click.exceptions.Exit(
        launch(path, config, entries, app, log, main, state=state, reload=reload, strict_start=strict_start)
    )


def launch(
    path: Path,
    config: Config,
    entries: Registry | None,
    app: AppOptions,
    log: LogOptions,
    main: Main | None,
    *,
    state: Path | None,
    reload: bool = False,
    strict_start: bool = False,
) -> int:
    """Run an app as a program of its own, and return its exit code."""
    from actors.cli._logging import log_to_bus, set_up_logging
    from actors.cli._serve import Signals, serve
    from actors.config import History
    from actors.loading import Follower, close_history, open_history

    # code of the app that is written in Python is found as if the program had been started in its folder
    sys.path.insert(0, str(path.resolve()))
    set_up_logging(LogOptions(silent=True) if main is not None and not log.given() else log, config)
    with Signals() as signals, ExitStack() as ends:
        if entries is None or config.history is not History.MEMORY:
            history = open_history(config, state)
            ends.callback(close_history, history)
            entries = app.registry(path, config, history)
        rt = make_runtime(entries, config, state, main.args if main is not None else ())
        if log.event_streams or config.log_to_events:
            ends.callback(log_to_bus(rt.bus, config.log_level))
        if reload:
            follower = Follower(entries, app.folder(path, config), state=state)
            follower.start()
            ends.callback(follower.stop)
        return serve(rt, signals, strict_start=strict_start, main=main)


def make_runtime(entries: Registry, config: Config, state: Path | None, args: tuple[str, ...] = ()) -> Runtime:
    """Make the runtime of an app as its configuration says."""
    from actors import Runtime
    from actors.control import state_folder
    from actors.terminal import Terminal

    return Runtime(
        entries,
        state=state_folder(state),
        node=config.node_name or os.environ.get("WIPPY_NODE_ID", ""),
        shutdown_timeout=config.shutdown_timeout,
        terminal=Terminal(args=args),
        strict_security=config.strict_security,
    )


def _list(entries: Registry, *, as_json: bool) -> None:
    from actors.cli._commands import commands
    from actors.cli._render import print_json

    known = commands(entries)
    if as_json:
        print_json([{"name": command.name, "short": command.short, "id": command.id} for command in known])
        return
    if not known:
        click.echo("No commands available")
        return
    click.echo("Available commands:")
    width = max(len(command.name) for command in known)
    for command in known:
        click.echo(f"  {command.name.ljust(width)}  {command.short}".rstrip())
