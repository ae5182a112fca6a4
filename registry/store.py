"""The registry: a versioned map from ids to entries, the only source of truth at run time."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from registry._transaction import Transaction, refusal
from registry.changes import Action, Operation, build_delta, normalize, ordered, overlay, squash
from registry.dependencies import Dependencies, dependency_order
from registry.entry import Entry
from registry.environment import Environment, Memory
from registry.errors import CONFLICT, INVALID, NOT_FOUND, FaultsError, RegistryError
from registry.faults import Fault, Path, Severity
from registry.folder import Folder, scan_folder
from registry.handlers import Event, Handler, Watchers
from registry.history import History, MemoryHistory, Version, lineage, path_between, successor
from registry.ids import EntryId
from registry.kinds import AnyKinds, Kinds, Validation, decode
from registry.origins import Origin, SourceRef, source_ref
from registry.query import conditions, select
from registry.snapshot import Snapshot, lookup

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _State:
    """What readers see; replaced as a whole, so that reading needs no lock."""

    entries: dict[str, Entry]
    environment: Environment
    version: int


class Registry:
    """Holds entries and their versions (spec registry.md §6).

    Reading is safe from any thread and never waits. Applies are serial: a second one waits for the first.

    Args:
        entries: the baseline, version 0.
        kinds: what checks entries; without it every kind and field is accepted.
        history: where versions are kept; in memory when not given. What a history already holds up to its head is
            laid over the baseline.
        strict: unknown fields are faults.
        origins: where the entries come from, by id.
        os_environ: the environment of the operating system for ``env.storage.os``.

    Raises:
        FaultsError: with every fault of the entries.
    """

    def __init__(
        self,
        entries: Iterable[Entry | Mapping[str, Any]] = (),
        *,
        kinds: Kinds | None = None,
        history: History | None = None,
        strict: bool = False,
        origins: Mapping[str, Origin] | None = None,
        os_environ: Mapping[str, str] | None = None,
    ) -> None:
        self._kinds: Kinds = AnyKinds() if kinds is None else kinds
        self._history: History = MemoryHistory() if history is None else history
        self._strict = strict
        self._origins = dict(origins or {})
        self._os_environ = os_environ
        self._memory: Memory = {}
        self._handler: Handler | None = None
        self._watchers = Watchers()
        # Held for a whole apply, calls of the handler included: applies are serial by contract. Readers never take it.
        self._applying = threading.Lock()
        self._applier: int | None = None
        self._baseline = _by_id(entries)
        self._first_id = self._history.next_id()  # of the versions made from now on
        self._files = self._baseline  # as they were when they were last taken over
        state = overlay(self._baseline, self._since_baseline(self._history.head()))
        environment = self._environment_of(state)
        validation = Validation(self._kinds, environment, self._origins, strict=strict)
        for _, entry in sorted(state.items()):
            validation.decode(entry)
        validation.relations(state, {})
        if validation.faults:
            raise FaultsError(sorted(validation.faults, key=_place))
        self._warnings = tuple(sorted(validation.warnings, key=_place))
        self._state = _State(state, environment, self._history.head())

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        kinds: Kinds | None = None,
        strict: bool = False,
        lenient: bool = False,
        overrides: Mapping[str, Any] | None = None,
        disable: Mapping[str, Iterable[str]] | None = None,
        lock_file: str | None = None,
        history: History | None = None,
        os_environ: Mapping[str, str] | None = None,
    ) -> Registry:
        """Read an app folder and validate what it defines; arguments as `load_folder` and the class take them.

        Warnings are logged and kept in `warnings`.

        Raises:
            FaultsError: with every fault of files and entries; nothing of the folder is kept then.
        """
        folder = scan_folder(path, lenient=lenient, lock_file=lock_file, overrides=overrides, disable=disable)
        broken = [fault for fault in folder.faults if fault.severity is Severity.FAULT]
        if broken:
            # What the readable files define is checked as well, but not how it fits together: parts are missing.
            validation = Validation(
                kinds or AnyKinds(), Environment(folder.entries, None, os_environ), folder.origins, strict=strict
            )
            for entry in folder.entries:
                validation.decode(entry)
            raise FaultsError(sorted([*broken, *validation.faults], key=_place))
        registry = cls(
            folder.entries,
            kinds=kinds,
            history=history,
            strict=strict,
            origins=folder.origins,
            os_environ=os_environ,
        )
        for warning in registry._warnings:
            _log.warning("%s", warning)
        registry._warnings = (*folder.faults, *registry._warnings)
        return registry

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What was odd at load, such as unknown fields, without being refused."""
        return self._warnings

    @property
    def version(self) -> int:
        """The id of the current version."""
        return self._state.version

    @property
    def history(self) -> tuple[Version, ...]:
        """All kept versions, ascending; the baseline is version 0 and has no operations."""
        return tuple(self._history.versions())

    @property
    def environment(self) -> Environment:
        """The variables as the current version describes them."""
        return self._state.environment

    def get(self, entry_id: str | EntryId | Mapping[str, Any]) -> Entry:
        """Return an entry.

        Raises:
            RegistryError: kind NotFound, with the nearest id, or Invalid for what is no full id.
        """
        return lookup(self._state.entries, entry_id)

    def find(self, query: Mapping[str, Any] | None = None, **named: Any) -> list[Entry]:
        """Return the entries that meet all conditions, sorted by id; all entries without any.

        Args:
            query: conditions by ``.kind``, ``.name``, ``.ns``, ``.id`` (a text, with one ``*`` at most),
                ``meta.<path>`` (equal; for a list: all of it contained), ``~meta.<path>`` (regular expression),
                ``*meta.<path>`` (contains), ``^meta.<path>``, ``$meta.<path>`` (begins, ends).
            named: more of them; ``kind``, ``name``, ``ns`` and ``id`` need no dot:
                ``find(kind="function.*", **{"meta.type": "test"})``.

        Raises:
            RegistryError: kind Invalid, for an unknown key or a bad value.
        """
        return select(self._state.entries.values(), conditions(query, named))

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._state.entries

    def __len__(self) -> int:
        return len(self._state.entries)

    def snapshot(self) -> Snapshot:
        """Return an unchanging view of the current version."""
        state = self._state
        return Snapshot(state.entries, state.version)

    def snapshot_at(self, version: int) -> Snapshot:
        """Return a view of another version, the baseline included (spec registry.md OP-10, OP-11).

        Raises:
            RegistryError: kind Invalid for a negative version, NotFound for one that is not kept.
        """
        if version < 0:
            raise RegistryError(f"invalid version {version}: versions count from 0", kind=INVALID)
        if version == self._state.version:
            return self.snapshot()
        return Snapshot(overlay(self._baseline, self._since_baseline(version)), version)

    def get_version(self, version: int) -> Version:
        """Return one version; RegistryError of kind NotFound when it is not kept."""
        return self._history.get(version)

    def next_version(self, version: int) -> int | None:
        """Return the newest version that was made from another, or None."""
        return successor(self._history, version)

    def decode(self, entry: Entry | str) -> Any:
        """Return the model of an entry, its placeholders resolved against the environment of now.

        Raises:
            FaultsError: when the entry is at fault, for instance because a variable has no value any more.
        """
        found = self.get(entry) if isinstance(entry, str) else entry
        checked = decode(found, self._kinds, self._state.environment)
        if any(problem.severity is Severity.FAULT for problem in checked.problems):
            validation = Validation(self._kinds, self._state.environment, self._origins)
            validation.decode(found)
            raise FaultsError(validation.faults)
        return checked.model

    def source_of(self, entry: Entry | str, field: str = "source") -> SourceRef:
        """Say how errors in an embedded text, such as Lua, name their file and line.

        A handler that prepares an operation passes its entry: the id still means the old one then.
        """
        entry = self.get(entry) if isinstance(entry, str) else entry
        return source_ref(entry, self._origins.get(entry.id), _path(field))

    def place_of(self, entry: Entry | str, field: str = "") -> tuple[str, int]:
        """Return the file and line of an entry or a field; ``("", 0)`` when it came from no file."""
        entry = self.get(entry) if isinstance(entry, str) else entry
        origin = self._origins.get(entry.id)
        if origin is None or origin.entry is not entry:
            return "", 0
        return origin.file, origin.at(_path(field)).line

    def dependencies(self, entry_id: str) -> frozenset[str]:
        """Return the ids of the existing entries that one refers to (spec registry.md §7)."""
        entries = self._state.entries
        return frozenset(Dependencies(entries).of(lookup(entries, entry_id)))

    def order(self) -> list[str]:
        """Return all ids, each after what it depends on; ties and cycles by id."""
        return dependency_order(self._state.entries)

    def build_delta(self, before: Snapshot, after: Snapshot) -> list[Operation]:
        """Return the ordered operations that lead from one snapshot to another."""
        return build_delta(before.entries, after.entries)

    def watch(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call `callback` with every event of later applies, in the thread that applies; the result ends that.

        Entry events come before their outcome is known: collect them and drop them on ``registry.discard``.
        """
        return self._watchers.add(callback)

    def attach(self, handler: Handler) -> None:
        """Give the current state to a handler, as creates in dependency order, and ask it from now on.

        Raises:
            RegistryError: kind Conflict, when a handler is attached already.
            FaultsError: with everything that it refused; it is not attached then.
        """
        with self._exclusive():
            if self._handler is not None:
                raise RegistryError("a handler is attached already; detach it first", kind=CONFLICT)
            state = self._state
            operations = [Operation(Action.CREATE, state.entries[entry_id]) for entry_id in self.order()]
            models = self._models(operations, state.entries, {}, state.environment)
            transaction = Transaction(handler, self._watchers, f"boot-{state.version}")
            transaction.run(models, self._origins, every=True)
            self._handler = handler
            transaction.commit()

    def detach(self) -> None:
        """Ask the handler no longer; nothing is undone."""
        with self._exclusive():
            self._handler = None

    def apply(self, changes: Iterable[Operation], *, base: int | None = None) -> Version:
        """Apply a `ChangeSet` or operations: all of it, or nothing.

        Blocks until the handler has accepted everything and committed.

        Args:
            changes: checked in their order against the state of now; applied in dependency order.
            base: the version that the changes were planned against; when another is current, nothing is done.

        Returns:
            The new version; the current one when the changes undo each other.

        Raises:
            RegistryError: kind Conflict (id taken, still imported, head moved), NotFound (unknown id), Invalid (no
                changes, kind change, faults); details hold ``id``, ``op`` and ``cause`` of a single failure.
            FaultsError: when the new state has faults.
        """
        with self._exclusive():
            return self._apply(changes, base)

    def apply_version(self, version: int) -> Version:
        """Go to a kept version, back or forward, as one change set; the next apply hangs off it.

        Raises:
            RegistryError: kind NotFound for an unknown version; as `apply` when it is refused.
        """
        with self._exclusive():
            state = self._state
            goal = self._history.get(version)
            if version == state.version:
                return goal
            operations = ordered(squash(path_between(self._history, state.version, version)), state.entries)
            self._run(operations, version, lambda: self._history.move(version))
            return goal

    def rollback(self) -> Version:
        """Go back to the version before the current one; RegistryError of kind NotFound at the baseline."""
        previous = self._history.get(self._state.version).previous
        if previous is None:
            raise RegistryError("there is no version before the baseline", kind=NOT_FOUND)
        return self.apply_version(previous)

    def adopt(self, folder: Folder) -> Version | None:
        """Apply what has changed in a folder that was read again, since it was read before.

        What was created, changed or deleted at run time stays so, unless the entry's own file has changed.

        Returns:
            The new version, or None when nothing differs.
        """
        with self._exclusive():
            state = self._state.entries
            files = _by_id(folder.entries)
            operations = build_delta(state, _goal(state, self._files, files))
            before = self._origins
            self._origins = {
                entry_id: replace(origin, entry=state[entry_id])
                if entry_id in state and state[entry_id].same_as(origin.entry)
                else origin
                for entry_id, origin in folder.origins.items()
            }
            try:
                version = self._apply(operations, None, from_files=True) if operations else None
            except BaseException:
                self._origins = before
                raise
            self._files = files
            return version

    def _apply(self, changes: Iterable[Operation], base: int | None, *, from_files: bool = False) -> Version:
        state = self._state
        if base is not None and base != state.version:
            text = f"the registry is at version {state.version}, the changes were planned against {base}; plan again"
            raise RegistryError(text, kind=CONFLICT, retryable=True)
        requested = list(changes)
        if not requested:
            raise RegistryError("no changes to apply", kind=INVALID)
        operations, failures = normalize(requested, state.entries)
        if failures:
            raise refusal([(failure.operation, failure.cause) for failure in failures], {})
        if not operations:
            return self._history.get(state.version)
        operations = ordered(operations, state.entries)
        version = Version(self._history.next_id(), state.version, tuple(operations), from_files)
        self._run(operations, version.id, lambda: self._history.append(version))
        return version

    def _run(self, operations: list[Operation], version: int, keep: Callable[[], None]) -> None:
        """Validate and apply ordered operations, then keep the version and show the new state."""
        before = self._state
        entries = overlay(before.entries, operations)
        environment = before.environment
        if any(operation.entry.kind.startswith("env.") for operation in operations):
            environment = self._environment_of(entries)
        deleted = {operation.id: operation.entry for operation in operations if operation.id not in entries}
        models = self._models(operations, entries, deleted, environment)
        transaction = Transaction(self._handler, self._watchers, str(version))
        transaction.run(models, self._origins)
        try:
            keep()
        except BaseException:
            transaction.discard()
            raise
        for entry_id in deleted:
            self._memory.pop(entry_id, None)
        self._state = _State(entries, environment, version)
        transaction.commit()

    def _models(
        self,
        operations: list[Operation],
        entries: Mapping[str, Entry],
        deleted: Mapping[str, Entry],
        environment: Environment,
    ) -> list[Operation]:
        """Return the operations with the models of their entries; raise when the state has faults."""
        validation = Validation(self._kinds, environment, self._origins, strict=self._strict)
        result = [
            operation
            if operation.action is Action.DELETE
            else replace(operation, model=validation.decode(operation.entry))
            for operation in operations
        ]
        validation.relations(entries, deleted)
        if validation.faults:
            actions = {operation.id: operation.action for operation in operations}
            found = [finding for finding in validation.findings if finding.fault.severity is Severity.FAULT]
            kinds, ids = {finding.kind for finding in found}, {finding.entry_id for finding in found}
            details: dict[str, Any] = {"causes": [str(fault) for fault in validation.faults]}
            if len(ids) == 1:
                entry_id = ids.pop()
                action = actions.get(entry_id)
                cause = str(validation.faults[0])
                details = {"id": entry_id, "op": action.value if action else None, "cause": cause}
            kind = kinds.pop() if len(kinds) == 1 else INVALID
            raise FaultsError(sorted(validation.faults, key=_place), kind=kind, details=details)
        return result

    def _since_baseline(self, version: int) -> list[Operation]:
        # what was taken over from files before this start is in the baseline, or has changed since
        steps = [s for s in lineage(self._history, version) if s.id >= self._first_id or not s.from_files]
        return [operation for step in steps for operation in step.operations]

    def _environment_of(self, entries: Mapping[str, Entry]) -> Environment:
        return Environment(entries.values(), self._memory, self._os_environ)

    def _exclusive(self) -> _Exclusive:
        return _Exclusive(self)


class _Exclusive:
    """Makes applies serial, and refuses one that comes out of another instead of waiting for ever."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._registry._applier == me:
            raise RegistryError("changes cannot be applied from within an apply", kind=CONFLICT)
        self._registry._applying.acquire()
        self._registry._applier = me

    def __exit__(self, *_: object) -> None:
        self._registry._applier = None
        self._registry._applying.release()


def _goal(state: Mapping[str, Entry], before: Mapping[str, Entry], files: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the state with what has changed in the files laid over it."""
    goal = dict(state)
    for entry_id in before.keys() - files.keys():
        goal.pop(entry_id, None)
    for entry_id, entry in files.items():
        old = before.get(entry_id)
        if old is None or not entry.same_as(old):
            goal[entry_id] = entry
    return goal


def _by_id(entries: Iterable[Entry | Mapping[str, Any]]) -> dict[str, Entry]:
    result: dict[str, Entry] = {}
    for value in entries:
        entry = Entry.of(value)
        if entry.id in result:
            raise RegistryError(f"entry already exists: {entry.id}", kind=CONFLICT)
        if entry.data is None:
            raise RegistryError(f"config data required: {entry.id}", kind=INVALID)
        result[entry.id] = entry
    return result


def _place(fault: Fault) -> tuple[str, int, str, str]:
    return fault.file, fault.line, fault.entry, fault.field


def _path(field: str) -> Path:
    return tuple(int(step) if step.isdigit() else step for step in field.split(".")) if field else ()
