"""From a folder to a registry, as its configuration says; and the registry that follows the folder (spec cli.md §5)."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors.config import Config, load_config
from actors.config import History as HistoryType
from actors.control import make_state_folder, state_folder
from actors.errors import UNAVAILABLE, ProcessError
from actors.kinds import EntryKinds
from registry import (
    FaultsError,
    Folder,
    History,
    MemoryHistory,
    NoHistory,
    Registry,
    RegistryError,
    Version,
    load_folder,
    scan_folder,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AppFolder:
    """An app folder, and how it is read.

    Attributes:
        path: the folder. config: its configuration. lock_file: as `registry.load_folder` takes it.
        strict: unknown fields are faults. lenient: broken files are skipped with a warning.
    """

    path: Path
    config: Config
    strict: bool = False
    lenient: bool = False
    lock_file: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    disable: Mapping[str, Iterable[str]] = field(default_factory=dict)

    @classmethod
    def find(
        cls,
        path: str | os.PathLike[str],
        *,
        strict: bool = False,
        lenient: bool = False,
        overrides: Mapping[str, Any] | None = None,
        disable: Mapping[str, Iterable[str]] | None = None,
    ) -> AppFolder:
        """Read the configuration in a folder; `overrides` and `disable` count beside what it says, and over it.

        Raises:
            ConfigError: with all faults of the configuration.
        """
        config = load_config(path)
        for warning in config.warnings:
            log.warning("%s", warning)
        both = {key: (*config.disable.get(key, ()), *(disable or {}).get(key, ())) for key in ("namespaces", "entries")}
        return cls(Path(path), config, strict, lenient, None, {**config.overrides, **(overrides or {})}, both)

    def registry(self, history: History | None = None) -> Registry:
        """Load and check the entries.

        Raises:
            FaultsError: everything that is wrong in the folder.
        """
        try:
            return Registry.load(
                self.path,
                kinds=EntryKinds(),
                strict=self.strict,
                lenient=self.lenient,
                overrides=self.overrides,
                disable=self.disable,
                lock_file=self.lock_file,
                history=history,
            )
        except FaultsError as error:
            # Lua is compiled at the start; what will be refused there is told with the rest
            from actors.definitions import source_faults

            faults = [*error.faults, *source_faults(self.scan())]
            raise FaultsError(sorted(faults, key=lambda fault: (fault.file, fault.line))) from None

    def adopt(self, registry: Registry) -> Version | None:
        """Read the folder again and apply what has changed in it, all or nothing; None when nothing has.

        What was changed at run time stays, unless its file says otherwise now.

        Raises:
            FaultsError, RegistryError: the folder or the change is refused; the registry is as it was.
        """
        return registry.adopt(self.read())

    def read(self) -> Folder:
        """Read what the folder defines now."""
        return load_folder(
            self.path,
            lenient=self.lenient,
            lock_file=self.lock_file,
            overrides=self.overrides,
            disable=self.disable,
        )

    def scan(self) -> Folder:
        """Read what can be read of the folder now; what is wrong with its files is in the `faults` of the result."""
        return scan_folder(
            self.path,
            lenient=self.lenient,
            lock_file=self.lock_file,
            overrides=self.overrides,
            disable=self.disable,
        )


def open_history(config: Config, state: str | os.PathLike[str] | None = None) -> History:
    """Return the history that a configuration asks for. One in SQLite has `close`, to be called when nothing is applied
    any more.

    Args:
        state: the state folder, for a history without a path of its own.

    Raises:
        RegistryError: the file cannot be used.
        ControlError: the state folder cannot.
    """
    if config.history is HistoryType.NONE:
        return NoHistory()
    if config.history is HistoryType.MEMORY:
        return MemoryHistory()
    from registry.sqlite_history import SqliteHistory

    if config.history_path is not None:
        path = config.base / config.history_path
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHistory(path)
    folder = state_folder(state)
    make_state_folder(folder)
    return SqliteHistory(folder / "registry.db")


def close_history(history: History) -> None:
    """Close a history that has to be."""
    close = getattr(history, "close", None)
    if close is not None:
        close()


class Follower:
    """Has a registry follow the files of its folder, on a thread of its own.

    A folder with faults changes nothing; they are all logged, and the next change is awaited.

    Args:
        changes: yields whenever files may have changed; by default what watchfiles tells of the folder.
        state: the state folder, whose files are not the app's.
    """

    def __init__(
        self,
        registry: Registry,
        app: AppFolder,
        *,
        changes: Iterable[object] | None = None,
        state: str | os.PathLike[str] | None = None,
    ) -> None:
        self._registry = registry
        self._app = app
        self._ended = threading.Event()
        self._changes = changes if changes is not None else _watch(app.path, state_folder(state), self._ended)
        self._thread = threading.Thread(target=self._follow, name="tutela-reload", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End; a change that is being applied is finished before."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    @property
    def running(self) -> bool:
        """Whether changes are still followed."""
        return self._thread.is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the changes end."""
        self._thread.join(timeout)

    def _follow(self) -> None:
        for _ in self._changes:
            if self._ended.is_set():
                return
            try:
                version = self._app.adopt(self._registry)
            except RegistryError as error:
                log.error("the app is as it was, its files are refused:\n%s", error.message)
            except Exception:
                log.exception("the app is as it was, its files could not be read")
            else:
                if version is not None:
                    named = ", ".join(f"{op.action.value.removeprefix('entry.')} {op.id}" for op in version.operations)
                    log.info("version %d from the files: %s", version.id, named)


def _watch(path: Path, state: Path, ended: threading.Event) -> Iterable[object]:
    try:
        import watchfiles
    except ImportError as error:
        raise ProcessError(
            "to follow files the package watchfiles is needed: pip install watchfiles", kind=UNAVAILABLE
        ) from error
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # what it tells is told again, with its effect
    ignored = (*watchfiles.DefaultFilter.ignore_dirs, ".tutela", ".wippy")
    wanted = watchfiles.DefaultFilter(ignore_dirs=ignored, ignore_paths=[state])
    told: Iterable[Collection[object]] = watchfiles.watch(
        path, watch_filter=wanted, stop_event=ended, rust_timeout=500, yield_on_timeout=True, raise_interrupt=False
    )
    return _told(path, told)


def _told(path: Path, told: Iterable[Collection[object]]) -> Iterator[object]:
    """Yield changes, and the first time-out too: what changed before the watching began is found then."""
    first = True
    for changes in told:
        if first:
            log.info("following the files of %s", path)
        if first or changes:
            yield changes
        first = False
