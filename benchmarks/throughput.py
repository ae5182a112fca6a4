"""The command `throughput`: parse, measure, show."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console

from benchmarks import chart, erlang_rival, machine, report
from benchmarks.harness import Plan, Result, measure
from benchmarks.scenarios import scenarios

ROUNDS = 5
QUICK_ROUNDS = 1


@click.command()
@click.option("--only", metavar="NAME[,NAME]", help="Run only these rows; a name nobody knows lists all of them.")
@click.option("--rounds", type=click.IntRange(min=1), help=f"How many rounds.  [default: {ROUNDS}]")
@click.option("--quick", is_flag=True, help="Small counts and one round: does it run at all?")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write a chart of the ratios to this file."
)
def throughput(only: str | None, rounds: int | None, quick: bool, as_json: bool, svg: Path | None) -> None:
    """Messages, births, memory, calls: beside pykka, and beside Erlang when erl and erlc are on the PATH.

    Exit code 0 when every side ran, whether or not its figures reach what is asked; 1 when one failed.
    """
    plan = Plan(rounds or (QUICK_ROUNDS if quick else ROUNDS), quick)
    errors = Console(stderr=True)
    wanted = _wanted(only)
    with ExitStack() as stack:
        rival = stack.enter_context(erlang_rival.erlang()) if erlang_rival.available() else None
        rows = [row for row in scenarios(rival) if row.name in wanted]
        results: list[Result] = []
        with errors.status("") as status:
            for row in rows:
                results.append(measure(row, plan, status.update))
        described = machine.describe()
    if as_json:
        click.echo(json.dumps(report.as_values(described, plan, results), indent=2))
    else:
        shown = Console()
        report.show(shown if shown.is_terminal else Console(width=report.WIDTH), described, plan, results)
    if svg is not None:
        svg.write_text(chart.draw(results, described), encoding="utf-8")
    if any(side.failure for result in results for side in result.sides):
        raise SystemExit(1)


def _wanted(only: str | None) -> list[str]:
    known = [row.name for row in scenarios(None)]
    if only is None:
        return known
    wanted = [name.strip() for name in only.split(",")]
    if unknown := [name for name in wanted if name not in known]:
        message = f"got {', '.join(unknown)}, expected some of: {', '.join(known)}"
        raise click.BadParameter(message, param_hint="--only")
    return wanted
