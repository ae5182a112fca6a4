"""Versions of the registry and the change sets between them (spec registry.md §6.1, §6.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.changes import Operation
from registry.errors import NOT_FOUND, RegistryError


@dataclass(frozen=True, slots=True)
class Version:
    """One version: the state after its operations were applied to its predecessor.

    Attributes:
        id: counted from 0, the baseline.
        previous: the version that it was made from; None for the baseline.
        operations: the normalized, ordered operations; none for the baseline.
        from_files: it took over changed files, which the baseline of a later start has already.
    """

    id: int
    previous: int | None = None
    operations: tuple[Operation, ...] = ()
    from_files: bool = False

    def __str__(self) -> str:
        return f"v{self.id}"


BASELINE = Version(0)


class History(Protocol):
    """Keeps versions; implementations need no locks, the registry's applies are serial."""

    def append(self, version: Version) -> None:
        """Keep a version and make it the head."""

    def move(self, head: int) -> None:
        """Make a kept version (or 0) the head."""

    def head(self) -> int:
        """Return the id of the head; 0 at first."""

    def versions(self) -> Sequence[Version]:
        """Return what is kept, ascending, the baseline first."""

    def get(self, version: int) -> Version:
        """Return one version; RegistryError of kind NotFound when it is not kept."""

    def next_id(self) -> int:
        """Return the lowest id that was never used."""


class MemoryHistory:
    """Keeps every version until the program ends."""

    def __init__(self) -> None:
        self._versions: list[Version] = [BASELINE]
        self._head = 0

    def append(self, version: Version) -> None:
        """Keep a version and make it the head."""
        self._versions.append(version)
        self._head = version.id

    def move(self, head: int) -> None:
        """Make a kept version the head."""
        self._head = head

    def head(self) -> int:
        """Return the id of the head."""
        return self._head

    def versions(self) -> Sequence[Version]:
        """Return all versions, ascending."""
        return tuple(self._versions)

    def get(self, version: int) -> Version:
        """Return one version; NotFound when there is none of that id."""
        if 0 <= version < len(self._versions):
            return self._versions[version]
        raise RegistryError(f"unknown version {version}", kind=NOT_FOUND)

    def next_id(self) -> int:
        """Return the lowest id that was never used."""
        return len(self._versions)


class NoHistory:
    """Keeps only the current version, so nothing can be rolled back (``history_type: nil``)."""

    def __init__(self) -> None:
        self._current = BASELINE

    def append(self, version: Version) -> None:
        """Make a version the only one."""
        self._current = Version(version.id)

    def move(self, head: int) -> None:
        """Accept the current version only."""
        self.get(head)

    def head(self) -> int:
        """Return the id of the current version."""
        return self._current.id

    def versions(self) -> Sequence[Version]:
        """Return the current version alone."""
        return (self._current,)

    def get(self, version: int) -> Version:
        """Return the current version; NotFound for any other."""
        if version == self._current.id:
            return self._current
        raise RegistryError(f"unknown version {version}: no history is kept", kind=NOT_FOUND)

    def next_id(self) -> int:
        """Return the id after the current one."""
        return self._current.id + 1


def lineage(history: History, version: int) -> list[Version]:
    """Return the versions from the baseline (left out) to `version`, oldest first."""
    found: list[Version] = []
    step = history.get(version)
    while step.previous is not None:
        found.append(step)
        step = history.get(step.previous)
    return found[::-1]


def path_between(history: History, start: int, goal: int) -> list[Operation]:
    """Return the operations that lead from one version to another: back to where they part, then forward."""
    back, forward = lineage(history, start), lineage(history, goal)
    shared = 0
    while shared < min(len(back), len(forward)) and back[shared].id == forward[shared].id:
        shared += 1
    undone = [operation.inverse() for version in reversed(back[shared:]) for operation in reversed(version.operations)]
    return [*undone, *(operation for version in forward[shared:] for operation in version.operations)]


def successor(history: History, version: int) -> int | None:
    """Return the newest version that was made from `version`, or None."""
    made = [other.id for other in history.versions() if other.previous == version]
    return made[-1] if made else None
