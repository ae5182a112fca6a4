"""One apply as the handler sees it: prepare in passes, then commit or undo."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from registry.changes import Operation
from registry.errors import INTERNAL, INVALID, NOT_FOUND, FaultsError, RegistryError, kind_of
from registry.faults import Fault, Severity
from registry.handlers import ACCEPT, BEGIN, COMMIT, DISCARD, PASSIVE_KINDS, REJECT, Handler, Watchers
from registry.origins import Origin

_log = logging.getLogger(__name__)

_Rejection = tuple[Operation, Exception]


class Transaction:
    """Asks a handler for each operation and tells the watchers (spec registry.md §6.3).

    Args:
        handler: who is asked; without one everything is accepted.
        watchers: who is told.
        name: the transaction's name in events.
    """

    def __init__(self, handler: Handler | None, watchers: Watchers, name: str) -> None:
        self._handler = handler
        self._watchers = watchers
        self._name = name
        self._accepted: list[Operation] = []

    def run(self, operations: Sequence[Operation], origins: Mapping[str, Origin], *, every: bool = False) -> None:
        """Prepare all operations, those that answer NotFound again after the others while that helps.

        Args:
            operations: in the order in which they are tried.
            origins: where their entries come from.
            every: go on after a refusal, so that all of them become known.

        Raises:
            RegistryError: after everything accepted was undone; FaultsError with all refusals when `every` is set.
        """
        self._watchers.emit(BEGIN, self._name)
        try:
            rejected = self._passes([operation for operation in operations if not _passive(operation)], every)
        except BaseException:
            self.discard()
            raise
        if rejected:
            self.discard()
            error = refusal(rejected, origins, as_faults=every)
            raise error from rejected[0][1]

    def _passes(self, operations: list[Operation], every: bool) -> list[_Rejection]:
        pending, rejected = operations, list[_Rejection]()
        while pending:
            deferred: list[_Rejection] = []
            for operation in pending:
                error = self._prepare(operation)
                if error is None:
                    continue
                if kind_of(error) == NOT_FOUND:
                    deferred.append((operation, error))
                    continue
                self._watchers.emit(REJECT, operation.id, error)
                rejected.append((operation, error))
                if not every:
                    return rejected
            if len(deferred) == len(pending) or (rejected and deferred):
                for operation, error in deferred:
                    self._watchers.emit(REJECT, operation.id, error)
                return [*rejected, *deferred]
            pending = [operation for operation, _ in deferred]
        return rejected

    def _prepare(self, operation: Operation) -> Exception | None:
        self._watchers.emit(operation.action.value, operation.id, operation.entry)
        if self._handler is not None:
            try:
                self._handler.prepare(operation)
            except Exception as error:
                return error
        self._accepted.append(operation)
        self._watchers.emit(ACCEPT, operation.id)
        return None

    def discard(self) -> None:
        """Undo what was accepted, newest first, and tell everybody."""
        while self._accepted:
            operation = self._accepted.pop()
            if self._handler is not None:
                try:
                    self._handler.undo(operation)
                except Exception:
                    _log.exception("cannot undo %s of %s", operation.action.value, operation.id)
        if self._handler is not None:
            try:
                self._handler.discard()
            except Exception:
                _log.exception("the handler failed to discard %s", self._name)
        self._watchers.emit(DISCARD, self._name)

    def commit(self) -> None:
        """Tell the handler, then the watchers. The version stays even if the handler fails: that is logged."""
        if self._handler is not None:
            try:
                self._handler.commit(tuple(self._accepted))
            except Exception:
                _log.exception("failed to execute commit protocol of %s", self._name)
        self._watchers.emit(COMMIT, self._name)


def refusal(
    rejected: Sequence[tuple[Operation, Exception]], origins: Mapping[str, Origin], *, as_faults: bool = False
) -> RegistryError:
    """Make one error of what was refused; a single one keeps its kind (spec registry.md OP-5)."""
    kind = kind_of(rejected[0][1]) if len(rejected) == 1 else INTERNAL
    causes = [{"id": operation.id, "op": operation.action.value, "cause": str(error)} for operation, error in rejected]
    details = causes[0] if len(causes) == 1 else {"causes": causes}
    if as_faults or any(isinstance(error, FaultsError) for _, error in rejected):
        faults = [fault for operation, error in rejected for fault in _faults(operation, error, origins)]
        return FaultsError(faults, kind=kind if len(rejected) == 1 else INVALID, details=details)
    text = "; ".join(_named(operation, error) for operation, error in rejected)
    retryable = getattr(rejected[0][1], "retryable", None) if len(rejected) == 1 else None
    return RegistryError(text, kind=kind, retryable=retryable, details=details)


def _named(operation: Operation, error: Exception) -> str:
    return str(error) if operation.id in str(error) else f"{operation.id}: {error}"


def _faults(operation: Operation, error: Exception, origins: Mapping[str, Origin]) -> Iterable[Fault]:
    if isinstance(error, FaultsError):
        return error.faults
    origin = origins.get(operation.id)
    file, line = ("", 0) if origin is None or origin.entry is not operation.entry else (origin.file, origin.place.line)
    return (Fault(Severity.FAULT, file, line, operation.id, "", str(error), ""),)


def _passive(operation: Operation) -> bool:
    return operation.entry.kind in PASSIVE_KINDS
