"""The entry point: the group of all commands, and what an error becomes on its way out."""

from __future__ import annotations

import errno
import logging
from typing import Any

import click

from actors.cli._demo import demo
from actors.cli._init import init
from actors.cli._lint import lint
from actors.cli._ps import ps
from actors.cli._registry import registry
from actors.cli._run import run
from actors.cli._test import test
from actors.cli._version import version


class _Commands(click.Group):
    """A group whose errors end the program with a message and a code, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            code = _told(error)
            if code is None:
                raise
            ctx.exit(code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done, or stopped by a first signal; 1 something failed at run time, or a second signal; "
    "2 nothing ran: wrong usage, or faults in the configuration or the app folder.",
)
def cli() -> None:
    """Tutela runs supervised Lua processes, and watches over them."""
    # commands that set up no log tell by themselves what matters; Python would print warnings on its own account
    logging.getLogger().addHandler(logging.NullHandler())


for _command in (run, test, demo, lint, registry, ps, init, version):
    cli.add_command(_command)


def _told(error: Exception) -> int | None:
    """Say on stderr what an error means, and return its exit code; None for a bug of ours."""
    from actors.errors import ProcessError
    from registry import FaultsError, RegistryError

    if isinstance(error, FaultsError):
        for fault in error.faults:
            click.echo(str(fault), err=True)
        return 2
    if isinstance(error, ProcessError):
        cause = error.__cause__
        if isinstance(cause, FaultsError):
            return _told(cause)
        click.echo(f"Error: {error.message}", err=True)
        if error.stack:
            click.echo(error.stack, err=True)
        return 1
    if isinstance(error, RegistryError):
        click.echo(f"Error: {error.message}", err=True)
        return 1
    if isinstance(error, OSError) and error.errno != errno.EPIPE:
        click.echo(f"Error: {error}", err=True)
        return 1
    return None


def main() -> None:
    """Run the command line and exit with its code."""
    cli(prog_name="tutela")
