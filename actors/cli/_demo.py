"""`tutela demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from actors.cli._options import LogOptions, json_option, log_options
from actors.cli._render import print_json, print_table
from actors.demos import DEMOS

if TYPE_CHECKING:
    from rich.console import Console

    from actors.demos.chat import Summary
    from actors.demos.traffic import Line


@click.command()
@click.argument("name", required=False, type=click.Choice(list(DEMOS)))
@click.option(
    "--script",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Traffic from FILE instead of the demo's own script.",
)
@click.option("-i", "--interactive", is_flag=True, help="Traffic from the lines that you type.")
@click.option("--state", metavar="DIR", type=click.Path(path_type=Path), help="State folder. Default: a temporary one.")
@click.option("--plain", is_flag=True, help="Plain lines, in a terminal too.")
@json_option
@log_options
def demo(
    name: str | None,
    script: Path | None,
    interactive: bool,
    state: Path | None,
    plain: bool,
    as_json: bool,
    log: LogOptions,
) -> None:
    """Run the demo NAME; without a name, list the demos.

    session_manager is a chat. Its traffic is a script of lines such as these (the number is the second):

    \b
      0.40 ana connects
      +0.3 ana writes good morning
      2.00 poison ana                 # her session crashes
      2.50 poison digest
      3.00 poison manager             # it crashes, and is started again
      4.00 ana leaves
      9.50 poison manager for good    # it crashes at every start from now on

    With --interactive such lines are typed, without the number; `quit` ends.
    """
    if name is None:
        if as_json:
            print_json([{"name": name, "shows": shows} for name, shows in DEMOS.items()])
        else:
            print_table(("demo", "shows"), DEMOS.items())
        return
    if script is not None and interactive:
        raise click.UsageError("--script and --interactive exclude each other")
    from actors.cli._logging import set_up_logging
    from actors.demos.traffic import read_script

    # what the log would say, the demo shows
    set_up_logging(log if log.given() else LogOptions(silent=True), None)
    lines: list[Line] = []
    if not interactive:
        lines = read_script(*_script(script))
    summary = _perform(lines, interactive, state, plain, as_json)
    if as_json:
        print_json(summary.record())


def _script(path: Path | None) -> tuple[str, str]:
    from actors.demos.chat import app_folder

    file = path or app_folder() / "traffic.txt"
    try:
        return file.read_text(encoding="utf-8"), str(file)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} can't be read: {error}") from error


def _perform(lines: list[Line], interactive: bool, state: Path | None, plain: bool, as_json: bool) -> Summary:
    from rich.console import Console

    from actors.demos import chat
    from actors.demos.stage import Stage
    from actors.demos.view import LiveView, PlainView, SilentView, View

    console = Console(highlight=False)
    with chat.scene(str(state) if state else None) as rt:
        most = chat.most_attempts(rt)
        stage = Stage(most)
        view: View
        if as_json:
            view = SilentView()
        elif console.is_terminal and not plain and not interactive:
            view = LiveView(console, stage, most, chat.children(rt))
        else:
            view = PlainView(console)
        if interactive and not as_json:
            click.echo("Type lines such as: ana connects | ana writes hello | poison ana | poison manager | quit")
        with view:
            play = chat.Play(rt, stage, view)
            try:
                if interactive:
                    play.improvise(sys.stdin)
                else:
                    play.perform(lines)
            except KeyboardInterrupt:
                pass  # the summary tells how far it came
            summary = play.end()
    if not as_json:
        _print_summary(console, summary)
    return summary


def _print_summary(console: Console, summary: Summary) -> None:
    counters = summary.counters
    whole = not console.is_terminal  # lines for a file or a pipe are not wrapped
    console.print()
    if summary.gave_up:
        waits = ", ".join(f"{wait:.2f}" for wait in summary.waited[-(summary.attempts - 1) :])
        console.print(
            f"session_manager gave up after its attempt number {summary.attempts}; its {summary.attempts - 1} "
            f"restarts came after {waits} s.",
            soft_wrap=whole,
        )
    users = [name for name in summary.answered if name not in ("archive", "digest")]
    if "archive" in summary.answered:
        console.print(f"The archive still answers: it remembers {summary.remembered} messages.", soft_wrap=whole)
    if "digest" in summary.answered:
        console.print("So does the digest.")
    if users:
        without = "" if not summary.gave_up else ", without a manager"
        console.print(f"So do {len(users)} sessions{without}: {', '.join(users)}.", soft_wrap=whole)
    if summary.silent:
        console.print(f"No answer from: {', '.join(summary.silent)}.", soft_wrap=whole)
    console.print(
        f"sessions {counters.sessions} · messages {counters.messages} · crashes {counters.crashes} · "
        f"restarts {counters.restarts} · {summary.seconds:.1f} s",
        soft_wrap=whole,
    )
