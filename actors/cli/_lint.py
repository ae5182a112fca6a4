"""`tutela lint`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actors.cli._options import AppOptions, app_options, json_option, path_argument
from actors.cli._render import print_json

if TYPE_CHECKING:
    from actors.config import Config
    from registry import Fault


@click.command(short_help="Check the app in folder PATH.")
@path_argument
@json_option
@app_options
def lint(path: Path, as_json: bool, app: AppOptions) -> None:
    """Check the app in folder PATH, and list everything that is wrong with it.

    Unknown fields, references to entries that don't exist and Lua that doesn't compile are faults here. Exit code 0:
    no faults; 2: faults.
    """
    from actors.cli._checks import check
    from registry import FaultsError

    faults: list[Fault] = []
    entries = 0
    config: Config | None = None
    try:
        config = app.configuration(path)
        faults += config.warnings
        try:
            loaded = replace(app, strict=False).registry(path, config)
        except FaultsError:
            replace(app, strict=True).registry(path, config)  # tells the unknown fields too
            raise
        faults += loaded.warnings
        entries = len(loaded)
    except FaultsError as error:
        faults += error.faults
    if config is not None:
        faults += check(app.folder(path, config).scan())
    faults = sorted({_grave(fault) for fault in faults}, key=lambda fault: (fault.file, fault.line, str(fault)))
    if as_json:
        print_json({"entries": entries, "faults": [_record(fault) for fault in faults]})
    else:
        for fault in faults:
            click.echo(str(fault))
        summary = f"{len(faults)} fault{'s' * (len(faults) != 1)}" if faults else f"{entries} entries, no faults"
        click.echo(summary, err=True)
    if faults:
        raise click.exceptions.Exit(2)


def _grave(fault: Fault) -> Fault:
    from registry import Severity

    return replace(fault, severity=Severity.FAULT)


def _record(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "line": fault.line,
        "entry": fault.entry,
        "field": fault.field,
        "got": fault.got,
        "expected": fault.expected,
        "hint": fault.hint,
    }
