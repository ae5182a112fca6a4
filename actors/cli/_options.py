"""Options that several commands share, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from actors.config import Config
    from actors.loading import AppFolder
    from registry import History, Registry

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
state_option = click.option(
    "--state", metavar="DIR", type=click.Path(path_type=Path), help="State folder. Default: TUTELA_STATE, else .tutela."
)
path_argument = click.argument("path", type=click.Path(path_type=Path))


@dataclass(frozen=True, slots=True)
class AppOptions:
    """How an app folder is to be read: the flags of spec cli.md §2."""

    config: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    override: tuple[str, ...] = ()
    lock_file: str | None = None
    strict: bool = False
    lenient: bool = False

    def configuration(self, path: Path) -> Config:
        """Read the configuration; its warnings go to stderr."""
        from actors.config import load_config

        loaded = load_config(
            path, files=self.config, profiles=self.profile, settings=self.settings, overrides=self.override
        )
        for warning in loaded.warnings:
            click.echo(str(warning), err=True)
        return loaded

    def folder(self, path: Path, config: Config) -> AppFolder:
        """Return how the folder is to be read."""
        from actors.loading import AppFolder

        return AppFolder(path, config, self.strict, self.lenient, self.lock_file, config.overrides, config.disable)

    def registry(self, path: Path, config: Config, history: History | None = None) -> Registry:
        """Load and check the entries, without handlers and services."""
        return self.folder(path, config).registry(history)


def app_options(command: Command) -> Command:
    """Add the flags that say how an app folder is read, and give them to the command as ``app``."""
    import functools

    @functools.wraps(command)
    def with_app(**given: Any) -> Any:
        names = AppOptions.__slots__
        return command(app=AppOptions(**{name: given.pop(name) for name in names}), **given)

    for add in reversed(
        (
            click.option("--config", metavar="FILE", multiple=True, help="Configuration file; later ones override."),
            click.option("--profile", metavar="NAME", multiple=True, help="Apply a profile of the configuration."),
            click.option(
                "--set", "settings", metavar="SECTION.PATH=V", multiple=True, help="Override a configuration value."
            ),
            click.option(
                "-o", "--override", metavar="NS:NAME:PATH=V", multiple=True, help="Override a field of an entry."
            ),
            click.option("-l", "--lock-file", metavar="PATH", help="Lock file. Default: wippy.lock in the app folder."),
            click.option("--strict", is_flag=True, help="Unknown fields of entries are faults."),
            click.option("--lenient", is_flag=True, help="Skip broken files with a warning."),
        )
    ):
        with_app = add(with_app)
    return with_app  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What is logged: the flags of spec cli.md §2."""

    verbose: int = 0
    very_verbose: bool = False
    console: bool = False
    silent: bool = False
    event_streams: bool = False

    def given(self) -> bool:
        """Tell whether any of the flags was."""
        return bool(self.verbose or self.very_verbose or self.console or self.silent)


def log_options(command: Command) -> Command:
    """Add the flags for logging, and give them to the command as ``log``."""
    import functools

    @functools.wraps(command)
    def with_log(**given: Any) -> Any:
        return command(log=LogOptions(**{name: given.pop(name) for name in LogOptions.__slots__}), **given)

    for add in reversed(
        (
            click.option("-v", "--verbose", count=True, help="Log debug messages; twice: with stack traces."),
            click.option("--very-verbose", is_flag=True, help="The same as -vv."),
            click.option("-c", "--console", is_flag=True, help="Log in colours."),
            click.option("-s", "--silent", is_flag=True, help="Log nothing."),
            click.option("-e", "--event-streams", is_flag=True, help="Send log records to the event bus as well."),
        )
    ):
        with_log = add(with_log)
    return with_log  # type: ignore[return-value]
