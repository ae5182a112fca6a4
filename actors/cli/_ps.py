"""`tutela ps`."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from actors.cli._options import json_option, state_option
from actors.cli._render import print_json, print_table


@click.command(short_help="Show what runs in a running app.")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@state_option
@click.option("-n", "--limit", default=100, show_default=True, help="List at most so many processes; 0: all.")
@json_option
def ps(path: Path | None, state: Path | None, limit: int, as_json: bool) -> None:
    """Show what runs in a running app: its services, hosts and processes.

    PATH is the folder in which the app was started; default: this one. The app is found by its state folder.
    """
    from actors.control import ask, state_folder

    if path is not None and state is None:
        state = path / ".tutela" if not (path / "control.sock").exists() else path
    answer: dict[str, Any] = ask(state_folder(state), "ps", limit=limit)
    if as_json:
        print_json(answer)
        return
    _print(answer)


def _print(answer: dict[str, Any]) -> None:
    services, hosts, processes = answer["services"], answer["hosts"], answer["processes"]
    if services:
        rows = [
            (
                service["id"],
                service["status"],
                service["retry_count"],
                _age(service["seconds"]),
                service["details"] or "",
            )
            for service in services
        ]
        print_table(("service", "status", "failures", "since", "details"), rows)
        click.echo()
    if hosts:
        names = [name for name in hosts[0] if name != "id" and not isinstance(hosts[0][name], (list, dict))]
        print_table(
            ("host", *(name.replace("_", " ") for name in names)),
            [(host["id"], *(_cell(host[name]) for name in names)) for host in hosts],
        )
        click.echo()
    if processes:
        print_table(
            ("pid", "entry", "names"),
            [(process["pid"], process["entry"], " ".join(process.get("names") or ())) for process in processes],
        )
    hidden = answer["process_count"] - len(processes)
    if hidden > 0:
        click.echo(f"and {hidden} more processes (--limit 0 lists all)")
    click.echo(
        f"{answer['process_count']} processes, {answer['dead_letters']} dead letters, program {answer['program']}"
    )


def _age(seconds: float | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=round(seconds)))


def _cell(value: Any) -> str:
    return "-" if value is None else os.fspath(value) if isinstance(value, Path) else str(value)
