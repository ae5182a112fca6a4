"""Changes of the registry as values, and what can be computed from them (spec registry.md §6.2, §6.5, §6.7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from registry.dependencies import dependency_order
from registry.entry import Entry
from registry.errors import CONFLICT, INVALID, NOT_FOUND, RegistryError
from registry.ids import EntryId, parse_id


class Action(StrEnum):
    """What an operation does; its value is also the kind of the event that tells of it."""

    CREATE = "entry.create"
    UPDATE = "entry.update"
    DELETE = "entry.delete"


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a change set.

    Attributes:
        action: create, update or delete.
        entry: the new entry; for a delete the entry that goes (only its id counts in a request).
        previous: the entry before an update; None in a request and for the other actions.
        model: what the entry's kind made of it, for handlers; None for a delete and in a request.
    """

    action: Action
    entry: Entry
    previous: Entry | None = None
    model: Any = field(default=None, compare=False, repr=False)

    @property
    def id(self) -> str:
        """The id of the entry concerned."""
        return self.entry.id

    def inverse(self) -> Operation:
        """Return the operation that undoes this one (which must be a normalized one)."""
        if self.action is Action.CREATE:
            return Operation(Action.DELETE, self.entry)
        if self.action is Action.DELETE:
            return Operation(Action.CREATE, self.entry)
        if self.previous is None:
            raise ValueError(f"the update of {self.id} does not know what it replaced")
        return Operation(Action.UPDATE, self.previous, self.entry)


class ChangeSet:
    """Collects operations for `Registry.apply`: ``ChangeSet().create(a).update(b).delete("x:c")``."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._operations = list(operations)

    def create(self, entry: Entry | Mapping[str, Any]) -> ChangeSet:
        """Add an entry; its id must be free when the set is applied."""
        self._operations.append(Operation(Action.CREATE, Entry.of(entry)))
        return self

    def update(self, entry: Entry | Mapping[str, Any]) -> ChangeSet:
        """Replace meta and data of an entry, nothing is merged; an empty kind is taken from the state."""
        if isinstance(entry, Mapping) and not entry.get("kind"):
            entry = Entry(str(parse_id(entry.get("id") or "")), "", entry.get("meta") or {}, entry.get("data"))
        self._operations.append(Operation(Action.UPDATE, Entry.of(entry)))
        return self

    def delete(self, entry_id: str | EntryId | Mapping[str, Any]) -> ChangeSet:
        """Remove an entry."""
        self._operations.append(Operation(Action.DELETE, Entry(str(parse_id(entry_id)), "")))
        return self

    def __iter__(self) -> Iterator[Operation]:
        return iter(tuple(self._operations))

    def __len__(self) -> int:
        return len(self._operations)


@dataclass(frozen=True, slots=True)
class Failure:
    """An operation that cannot be done, and why."""

    operation: Operation
    cause: RegistryError


def normalize(operations: Iterable[Operation], state: Mapping[str, Entry]) -> tuple[list[Operation], list[Failure]]:
    """Check operations against a state in their order, complete them, and fold those on one entry into one.

    Only a delete that is followed by a create stays two operations: that is how a kind is changed.
    """
    current = dict(state)
    failures: list[Failure] = []
    accepted: list[Operation] = []
    for operation in operations:
        try:
            completed = _complete(operation, current.get(operation.id))
        except RegistryError as error:
            failures.append(Failure(operation, error))
            continue
        accepted.append(completed)
        if completed.action is Action.DELETE:
            current.pop(completed.id, None)
        else:
            current[completed.id] = completed.entry
    return _fold(accepted, keep_replacement=True), failures


def _complete(operation: Operation, old: Entry | None) -> Operation:
    entry, action = operation.entry, operation.action
    if action is Action.CREATE:
        if old is not None:
            raise RegistryError(f"entry already exists: {entry.id}", kind=CONFLICT)
        if not entry.kind.strip():
            raise RegistryError(f"the kind of {entry.id} is missing", kind=INVALID)
    elif old is None:
        raise RegistryError(f"entry not found: {entry.id}", kind=NOT_FOUND)
    elif action is Action.DELETE:
        return Operation(action, old)
    elif not entry.kind:
        entry = replace(entry, kind=old.kind)
    elif entry.kind != old.kind:
        text = f"cannot change the kind of {entry.id} from {old.kind} to {entry.kind}; delete and create it"
        raise RegistryError(text, kind=INVALID)
    if entry.data is None:
        raise RegistryError(f"config data required: {entry.id}", kind=INVALID)
    return Operation(action, entry, old)


def squash(operations: Iterable[Operation]) -> list[Operation]:
    """Fold normalized operations, left to right, into at most one for each entry (spec registry.md §6.5).

    An entry that was deleted and created again with another kind keeps both operations.
    """
    return _fold(operations, keep_replacement=False)


def _fold(operations: Iterable[Operation], *, keep_replacement: bool) -> list[Operation]:
    first: dict[str, Entry | None] = {}
    last: dict[str, Entry | None] = {}
    replaced: set[str] = set()
    for operation in operations:
        entry_id = operation.id
        if entry_id not in first:
            first[entry_id] = None if operation.action is Action.CREATE else operation.previous or operation.entry
        elif operation.action is Action.CREATE:
            replaced.add(entry_id)
        last[entry_id] = None if operation.action is Action.DELETE else operation.entry
    result: list[Operation] = []
    for entry_id, old in first.items():
        new = last[entry_id]
        if old is None and new is not None:
            result.append(Operation(Action.CREATE, new))
        elif old is not None and new is None:
            result.append(Operation(Action.DELETE, old))
        elif old is not None and new is not None:
            if old.kind != new.kind or (keep_replacement and entry_id in replaced):
                result += [Operation(Action.DELETE, old), Operation(Action.CREATE, new)]
            else:
                result.append(Operation(Action.UPDATE, new, old))
    return result


def ordered(operations: Iterable[Operation], before: Mapping[str, Entry]) -> list[Operation]:
    """Order normalized operations: deletes first, dependents before what they need; then the rest the other way."""
    listed = list(operations)
    after = overlay(before, listed)
    deletes = {operation.id: operation for operation in listed if operation.action is Action.DELETE}
    others = {operation.id: operation for operation in listed if operation.action is not Action.DELETE}
    return [
        *(deletes[entry_id] for entry_id in reversed(dependency_order(before, deletes))),
        *(others[entry_id] for entry_id in dependency_order(after, others)),
    ]


def overlay(state: Mapping[str, Entry], operations: Iterable[Operation]) -> dict[str, Entry]:
    """Return the state with operations laid over it, without any check."""
    result = dict(state)
    for operation in operations:
        if operation.action is Action.DELETE:
            result.pop(operation.id, None)
        else:
            result[operation.id] = operation.entry
    return result


def build_delta(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[Operation]:
    """Return the ordered operations that lead from one state to the other."""
    operations: list[Operation] = []
    for entry_id, old in before.items():
        new = after.get(entry_id)
        if new is None:
            operations.append(Operation(Action.DELETE, old))
        elif new.kind != old.kind:
            operations += [Operation(Action.DELETE, old), Operation(Action.CREATE, new)]
        elif not new.same_as(old):
            operations.append(Operation(Action.UPDATE, new, old))
    operations += [Operation(Action.CREATE, new) for entry_id, new in after.items() if entry_id not in before]
    return ordered(operations, before)
