"""Versions of the registry kept in a SQLite file, across restarts (spec registry.md §6.6)."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from registry.changes import Action, Operation
from registry.entry import Entry
from registry.errors import INTERNAL, NOT_FOUND, UNAVAILABLE, RegistryError
from registry.history import BASELINE, Version

SCHEMA: Final = 1
"""The version of the tables, kept in SQLite's ``user_version``."""

_CREATE: Final = """
CREATE TABLE versions (
  id INTEGER PRIMARY KEY, previous INTEGER NOT NULL, operations TEXT NOT NULL, from_files INTEGER NOT NULL
);
CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 0), id INTEGER NOT NULL);
INSERT INTO head VALUES (0, 0);
"""
_MIGRATIONS: Final[dict[int, str]] = {0: _CREATE}
_SELECT: Final = "SELECT id, previous, operations, from_files FROM versions ORDER BY id"
_INSERT: Final = "INSERT INTO versions VALUES (?, ?, ?, ?)"
_HEAD: Final = "SELECT id FROM head"
_MOVE: Final = "UPDATE head SET id = ?"


class SqliteHistory:
    """Keeps every version in a file (`registry.History`). One program at a time has the file.

    What is kept is read once, when it is opened; later reads come from memory and are safe from any thread. Writes come
    from the registry's applies, one after another, and are on disk when they return.

    Args:
        path: the file; made, for its owner alone, when missing. Its folder must exist.

    Raises:
        RegistryError: kind Unavailable, when another program has it open or it cannot be opened; Internal, when it is
            no history, or one of a newer release.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._versions: dict[int, Version] = {BASELINE.id: BASELINE}
        self._head = BASELINE.id
        connection = None
        try:
            self.path.touch(mode=0o600)
            # used by whichever thread applies: the registry lets in one at a time
            connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=0.0)
            self._open(connection)
        except (sqlite3.Error, OSError) as error:
            if connection is not None:
                connection.close()
            raise self._error(error) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        self._connection = connection

    def close(self) -> None:
        """Give the file back; nothing can be appended any more."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def append(self, version: Version) -> None:
        """Keep a version and make it the head, both or neither."""
        packed = _text([_packed(operation) for operation in version.operations])
        self._write((_INSERT, (version.id, version.previous or 0, packed, version.from_files)), (_MOVE, (version.id,)))
        self._versions[version.id] = version
        self._head = version.id

    def move(self, head: int) -> None:
        """Make a kept version the head."""
        self.get(head)
        self._write((_MOVE, (head,)))
        self._head = head

    def head(self) -> int:
        """Return the id of the head."""
        return self._head

    def versions(self) -> Sequence[Version]:
        """Return all versions, ascending, the baseline first."""
        return tuple(self._versions.copy().values())

    def get(self, version: int) -> Version:
        """Return one version; RegistryError of kind NotFound when there is none of that id."""
        found = self._versions.get(version)
        if found is None:
            raise RegistryError(f"unknown version {version}", kind=NOT_FOUND)
        return found

    def next_id(self) -> int:
        """Return the lowest id that was never used."""
        return max(self._versions) + 1

    def _open(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN EXCLUSIVE")
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        if schema > SCHEMA:
            text = (
                f"{self.path} was written by a newer release (schema {schema}, this one knows {SCHEMA}); use that one"
            )
            raise RegistryError(text, kind=INTERNAL, retryable=False)
        while schema < SCHEMA:
            for statement in _MIGRATIONS[schema].split(";"):
                connection.execute(statement)
            schema += 1
            connection.execute(f"PRAGMA user_version = {schema}")
        connection.execute("COMMIT")
        for id, previous, operations, from_files in connection.execute(_SELECT):
            self._versions[id] = Version(id, previous, self._unpacked(id, operations), bool(from_files))
        self._head = connection.execute(_HEAD).fetchone()[0]
        missing = {self._head, *(v.previous for v in self._versions.values() if v.previous is not None)}
        if not missing <= self._versions.keys():
            raise RegistryError(f"{self.path} is damaged: a version is missing; move the file away", kind=INTERNAL)

    def _unpacked(self, id: int, operations: str) -> tuple[Operation, ...]:
        try:
            return tuple(_operation(record) for record in json.loads(operations))
        except (ValueError, TypeError, KeyError, RegistryError) as error:
            text = f"{self.path} is damaged: version {id} cannot be read ({error}); move the file away"
            raise RegistryError(text, kind=INTERNAL) from error

    def _write(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        try:
            self._connection.execute("BEGIN")
            try:
                for text, values in statements:
                    self._connection.execute(text, values)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> RegistryError:
        if "locked" in str(error):
            text = f"the registry's history {self.path} is in use by another program; give each its own state folder"
            return RegistryError(text, kind=UNAVAILABLE, retryable=True)
        if type(error) is sqlite3.DatabaseError:
            text = f"{self.path} is no registry history: {error}; move the file away"
            return RegistryError(text, kind=INTERNAL, retryable=False)
        return RegistryError(f"the registry's history {self.path} cannot be used: {error}", kind=UNAVAILABLE)


def _text(records: list[dict[str, Any]]) -> str:
    text = json.dumps(records, ensure_ascii=False)
    # halves of surrogate pairs, which stand for bytes that were no text, have no other form in a database
    return text if text.isascii() or text.encode(errors="ignore").decode() == text else json.dumps(records)


def _packed(operation: Operation) -> dict[str, Any]:
    record: dict[str, Any] = {"op": operation.action.value, "entry": _plain(operation.entry.record())}
    if operation.previous is not None:
        record["previous"] = _plain(operation.previous.record())
    return record


def _operation(record: dict[str, Any]) -> Operation:
    previous = record.get("previous")
    return Operation(
        Action(record["op"]),
        Entry.of(_value(record["entry"])),
        None if previous is None else Entry.of(_value(previous)),
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; bytes and maps with other keys than plain texts are written as ``{"$…": …}``."""
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _plain(item) for key, item in value.items()}
        return {"$map": [[key, _plain(item)] for key, item in value.items()]}
    return value


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        if "$map" in value:
            return {key: _value(item) for key, item in value["$map"]}
        return {key: _value(item) for key, item in value.items()}
    return value
