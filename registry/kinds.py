"""What the registry needs to know of entry kinds; the kinds themselves are declared elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from registry.entry import Entry
from registry.environment import Environment, check_environment
from registry.faults import Fault, Path, Problem, Severity
from registry.origins import Origin, locate


@dataclass(frozen=True, slots=True)
class Checked:
    """What a kind makes of an entry: its model (None when it cannot be built), and what is wrong with it."""

    model: Any
    problems: tuple[Problem, ...] = ()


class Kinds(Protocol):
    """Checks entries against their kinds."""

    def check(self, entry: Entry, data: Any) -> Checked:
        """Decode one entry; `data` is its data with placeholders resolved. All problems, not just the first."""

    def check_all(self, entries: Mapping[str, Entry], deleted: Collection[str]) -> Iterable[tuple[str, Problem]]:
        """Yield what is wrong between the entries of a whole state.

        Args:
            entries: the state; entries in it may be broken themselves.
            deleted: the ids that are about to go, for problems that their going causes.
        """


class AnyKinds:
    """Accepts every kind; the model of an entry is its data."""

    def check(self, entry: Entry, data: Any) -> Checked:
        """Accept."""
        return Checked(data)

    def check_all(self, entries: Mapping[str, Entry], deleted: Collection[str]) -> Iterable[tuple[str, Problem]]:
        """Find nothing."""
        return ()


def decode(entry: Entry, kinds: Kinds, environment: Environment) -> Checked:
    """Resolve the placeholders of an entry and decode it."""
    resolved = environment.resolve(entry)
    checked = kinds.check(entry, resolved.data)
    if not resolved.paths and not resolved.problems:
        return checked
    unresolved = {problem.path for problem in resolved.problems}
    problems = [
        _veiled(problem, resolved.paths) for problem in checked.problems if not _within(problem.path, unresolved)
    ]
    return Checked(checked.model, (*resolved.problems, *problems))


def _veiled(problem: Problem, secret: Collection[Path]) -> Problem:
    """Keep a value that came from the environment out of a message."""
    return replace(problem, got="another value from the environment") if _within(problem.path, secret) else problem


def _within(path: Path, paths: Collection[Path]) -> bool:
    return any(path[:length] in paths for length in range(len(path) + 1))


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of one entry: as a fault with its place, and the class of error that an apply reports."""

    entry_id: str
    fault: Fault
    kind: str


class Validation:
    """Checks entries of one state and keeps what it finds.

    Args:
        kinds: the kinds.
        environment: the environment of the state.
        origins: where the entries come from.
        strict: warnings are faults.
    """

    def __init__(
        self, kinds: Kinds, environment: Environment, origins: Mapping[str, Origin], *, strict: bool = False
    ) -> None:
        self._kinds = kinds
        self._environment = environment
        self._origins = origins
        self._strict = strict
        self.findings: list[Finding] = []

    @property
    def faults(self) -> list[Fault]:
        """What refuses the state."""
        return [finding.fault for finding in self.findings if finding.fault.severity is Severity.FAULT]

    @property
    def warnings(self) -> list[Fault]:
        """What does not."""
        return [finding.fault for finding in self.findings if finding.fault.severity is Severity.WARNING]

    def decode(self, entry: Entry) -> Any:
        """Check one entry and return its model, None when it has none."""
        checked = decode(entry, self._kinds, self._environment)
        self._note(entry, checked.problems)
        return checked.model

    def relations(self, entries: Mapping[str, Entry], deleted: Mapping[str, Entry]) -> None:
        """Check what is between the entries."""
        for entry_id, problem in self._between(entries, deleted):
            self._note(entries.get(entry_id) or deleted[entry_id], (problem,))

    def _between(self, entries: Mapping[str, Entry], deleted: Collection[str]) -> Iterator[tuple[str, Problem]]:
        yield from check_environment(entries)
        yield from self._kinds.check_all(entries, deleted)

    def _note(self, entry: Entry, problems: Iterable[Problem]) -> None:
        for problem in problems:
            origin = self._origins.get(entry.id)
            if origin is not None and origin.entry is not entry:
                origin = None
            fault = locate(problem, entry.id, origin, strict=self._strict)
            self.findings.append(Finding(entry.id, fault, problem.kind))
