"""The errors of the registry: one tree, each with a kind, and a message that says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from registry.faults import Fault

NOT_FOUND: Final = "NotFound"
ALREADY_EXISTS: Final = "AlreadyExists"
INVALID: Final = "Invalid"
PERMISSION_DENIED: Final = "PermissionDenied"
UNAVAILABLE: Final = "Unavailable"
INTERNAL: Final = "Internal"
CONFLICT: Final = "Conflict"


class RegistryError(Exception):
    """Raised when the registry refuses something.

    Attributes:
        kind: the class of the error as text, one of the constants of `registry.errors`.
        retryable: True when the same call may succeed later, False when not, None when nobody said.
        details: further fields, plain values only; None when there are none.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = INTERNAL,
        retryable: bool | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.details = details

    @property
    def message(self) -> str:
        """The text alone."""
        return str(self.args[0])


class FaultsError(RegistryError):
    """Raised when files or entries hold mistakes: mend the named lines and load again.

    Attributes:
        faults: every fault that was found, in the order of files and lines. None of what was loaded is kept.
    """

    def __init__(
        self, faults: Sequence[Fault], *, kind: str = INVALID, details: Mapping[str, Any] | None = None
    ) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        text = "\n".join(str(fault) for fault in self.faults)
        super().__init__(text, kind=kind, retryable=False, details=details)


def kind_of(error: BaseException) -> str:
    """Return the kind of any error: its own ``kind`` text when it has one, else ``"Internal"``."""
    kind = getattr(error, "kind", None)
    return kind if isinstance(kind, str) and kind else INTERNAL
