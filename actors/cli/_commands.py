"""The commands of an app: processes that run on a terminal host (spec cli.md §3.3)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from registry import Registry

_PROCESSES: Final = ("process.lua", "process.python")


@dataclass(frozen=True, slots=True)
class AppCommand:
    """What `meta.command` of a process entry says; `use_case` is ``run`` unless it says otherwise."""

    name: str
    id: str
    short: str = ""
    use_case: str = "run"


@dataclass(frozen=True, slots=True)
class Main:
    """The process to run: its entry, its terminal host, its arguments."""

    entry: str
    host: str
    args: tuple[str, ...] = ()


def commands(entries: Registry, use_case: str = "run") -> list[AppCommand]:
    """Return the commands of one use case, by name.

    Raises:
        click.UsageError: two of them have one name (OP-6).
    """
    found: dict[str, list[AppCommand]] = defaultdict(list)
    for entry in entries.find({}):
        told = entry.meta.get("command") if entry.meta else None
        if entry.kind not in _PROCESSES or not isinstance(told, dict):
            continue
        command = AppCommand(str(told["name"]), entry.id, str(told.get("short") or ""), told.get("use_case") or "run")
        if command.use_case == use_case:
            found[command.name].append(command)
    for name, same in sorted(found.items()):
        if len(same) > 1:
            ids = " and ".join(sorted(command.id for command in same))
            raise click.UsageError(f"the command {name} is there twice, in {ids}; give one of them another name")
    return [found[name][0] for name in sorted(found)]


def command_main(entries: Registry, name: str, args: tuple[str, ...], host: str | None) -> Main:
    """Return what the command `name` runs.

    Raises:
        click.UsageError: there is no such command, or no terminal host for it.
    """
    from registry.faults import nearest

    known = {command.name: command for command in commands(entries)}
    if name not in known:
        hint = nearest(name, known) or ""
        text = f"the app has no command {name}; {hint} `tutela run PATH list` lists its commands"
        raise click.UsageError(text.replace(";  ", "; "))
    return Main(known[name].id, terminal_host(entries, host), args)


def entry_main(entries: Registry, id: str, args: tuple[str, ...], host: str | None) -> Main:
    """Return what ``-x id`` runs.

    Raises:
        click.UsageError: `id` is no whole id of a process entry, or there is no terminal host for it.
    """
    from registry.faults import nearest

    namespace, _, name = id.partition(":")
    if not namespace or not name:
        raise click.UsageError(f"-x {id}: write the whole id of a process entry, namespace:name")
    if id not in entries:
        hint = nearest(id, [entry.id for entry in entries.find({}) if entry.kind in _PROCESSES])
        raise click.UsageError(f"-x {id}: there is no such entry{f'; {hint}' if hint else ''}")
    kind = entries.get(id).kind
    if kind not in _PROCESSES:
        raise click.UsageError(f"-x {id}: that is a {kind}; write the id of a {' or '.join(_PROCESSES)}")
    return Main(id, terminal_host(entries, host), args)


def terminal_host(entries: Registry, wanted: str | None) -> str:
    """Return the terminal host to run on: the one that is wanted, else the only one.

    Raises:
        click.UsageError: it does not exist, or there are none or several to choose from.
    """
    hosts = sorted(entry.id for entry in entries.find({}) if entry.kind == "terminal.host")
    listed = ", ".join(hosts) or "none"
    if wanted is not None:
        if wanted not in hosts:
            raise click.UsageError(f"--host {wanted}: that is no terminal.host of the app; there are: {listed}")
        return wanted
    if not hosts:
        raise click.UsageError(
            "the app has no terminal host to run it on; add an entry such as "
            "{name: term, kind: terminal.host, lifecycle: {auto_start: true}}"
        )
    if len(hosts) > 1:
        raise click.UsageError(f"the app has several terminal hosts, choose one with --host: {listed}")
    return hosts[0]
