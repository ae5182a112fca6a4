"""`tutela registry list`, `show` and `schema`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from actors.cli._options import AppOptions, app_options, json_option, path_argument
from actors.cli._render import print_json, print_table, print_yaml

if TYPE_CHECKING:
    from registry import Entry, Registry

yaml_option = click.option("--yaml", "as_yaml", is_flag=True, help="Print YAML.")


@click.group()
def registry() -> None:
    """Look at the entries of an app folder. Nothing is started."""


@registry.command("schema")
def schema() -> None:
    """Print a JSON Schema of the files that define entries, for editors."""
    from actors.cli._index_schema import index_schema

    print_json(index_schema())


@registry.command("list")
@path_argument
@click.option("-k", "--kind", metavar="PATTERN", help="Only kinds that match, such as process.*")
@click.option("-n", "--ns", metavar="PATTERN", help="Only namespaces that match.")
@click.option("--name", metavar="PATTERN", help="Only names that match.")
@click.option(
    "--meta",
    metavar="COND",
    multiple=True,
    help="Only entries whose meta field f is so: f=v equal, f~re regex, f*s contains, f^p prefix, f$s suffix. "
    "Repeatable; all must hold.",
)
@json_option
@yaml_option
@app_options
def list_entries(
    path: Path,
    kind: str | None,
    ns: str | None,
    name: str | None,
    meta: tuple[str, ...],
    as_json: bool,
    as_yaml: bool,
    app: AppOptions,
) -> None:
    """List the entries of the app in folder PATH, sorted by id."""
    from registry import RegistryError

    query: dict[str, Any] = {
        key: value for key, value in ((".kind", kind), (".ns", ns), (".name", name)) if value is not None
    }
    loaded = _load(path, app)
    try:
        found = loaded.find(query)
        for condition in meta:
            kept = {entry.id for entry in loaded.find(_condition(condition))}
            found = [entry for entry in found if entry.id in kept]
    except RegistryError as error:
        raise click.UsageError(error.message) from error
    if as_json or as_yaml:
        (print_json if as_json else print_yaml)([entry.record() for entry in found])
    else:
        print_table(("id", "kind"), [(entry.id, entry.kind) for entry in found])


@registry.command("show")
@path_argument
@click.argument("id")
@click.option("-f", "--field", metavar="PATH", help="One field, such as data.lifecycle or source.")
@click.option("--raw", is_flag=True, help="Print a text as it is.")
@json_option
@yaml_option
@app_options
def show_entry(
    path: Path, id: str, field: str | None, raw: bool, as_json: bool, as_yaml: bool, app: AppOptions
) -> None:
    """Show one entry of the app in folder PATH; a bare name will do if it is the only one."""
    entry = _entry(_load(path, app), id)
    shown: Any = entry.record()
    if field is not None:
        shown = _field(shown, field)
    if raw and isinstance(shown, str):
        click.echo(shown, nl=not shown.endswith("\n"))
    elif as_json:
        print_json(shown)
    elif isinstance(shown, str) and "\n" not in shown:
        click.echo(shown)
    else:
        print_yaml(shown)


def _load(path: Path, app: AppOptions) -> Registry:
    loaded = app.registry(path, app.configuration(path))
    for warning in loaded.warnings:
        click.echo(str(warning), err=True)
    return loaded


def _condition(text: str) -> dict[str, Any]:
    """Turn ``f=v`` and its kin into a filter of the registry; values are compared as text or as what they look like."""
    found = re.match(r"([A-Za-z0-9_.-]+?)([=~*^$])(.*)", text, re.DOTALL)
    if found is None:
        raise click.UsageError(f"--meta {text}: write field=value, field~regex, field*part, field^prefix, field$suffix")
    name, operator, value = found.groups()
    if operator == "=":
        from registry.overrides import plain_value

        return {f"meta.{name}": plain_value(value)}
    return {f"{operator}meta.{name}": value}


def _entry(loaded: Registry, id: str) -> Entry:
    import difflib

    if ":" in id and id in loaded:
        return loaded.get(id)
    entries = loaded.find({})
    if ":" not in id:
        candidates = [entry for entry in entries if entry.name == id]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            listed = ", ".join(entry.id for entry in candidates)
            _fail(f"{id} is the name of several entries: {listed}; write the whole id")
    near = difflib.get_close_matches(id, [entry.id for entry in entries] + [entry.name for entry in entries], n=1)
    _fail(f"there is no entry {id}" + (f"; did you mean {near[0]}?" if near else ""))


def _field(record: dict[str, Any], path: str) -> Any:
    """Return a field by its path; one that begins with none of the record's parts is looked up in its data."""
    names = path.split(".")
    value: Any = record if names[0] in record else record["data"]
    for place, name in enumerate(names):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            known = f"; there are {', '.join(map(str, value))}" if isinstance(value, dict) and value else ""
            _fail(f"{record['id']} has no field {'.'.join(names[: place + 1])}{known}")
    return value


def _fail(message: str) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    raise click.exceptions.Exit(1)
