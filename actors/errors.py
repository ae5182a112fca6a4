"""The errors of the runtime, as values that cross between Lua, Python and journals, and as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

UNKNOWN: Final = ""
NOT_FOUND: Final = "NotFound"
ALREADY_EXISTS: Final = "AlreadyExists"
INVALID: Final = "Invalid"
PERMISSION_DENIED: Final = "PermissionDenied"
UNAVAILABLE: Final = "Unavailable"
INTERNAL: Final = "Internal"
CANCELED: Final = "Canceled"
CONFLICT: Final = "Conflict"
TIMEOUT: Final = "Timeout"
RATE_LIMITED: Final = "RateLimited"
LIMIT_EXCEEDED: Final = "LimitExceeded"


@dataclass(frozen=True, slots=True)
class Failure:
    """A structured error as a value (shared spec `lua-api.md` §3): what a process failed with.

    Attributes:
        message: what happened, in words.
        kind: one of the constants of this module; empty when not classified.
        retryable: whether trying again may help; None when nobody said.
        details: further fields, plain values only.
        stack: the Lua (or Python) stack as text, innermost frame first; empty when unknown.
    """

    message: str
    kind: str = INTERNAL
    retryable: bool | None = None
    details: Mapping[str, Any] | None = None
    stack: str = ""


class ProcessError(Exception):
    """Raised when something fails in the runtime or in Lua.

    Attributes:
        kind: the class of the error, such as ``"NotFound"`` or ``"Invalid"`` (see the constants of `actors.errors`).
        retryable: True, False, or None when unknown.
        details: further fields as plain values, or None.
        pid: the process concerned, or None.
        stack: the Lua stack with the user's files and lines; empty when there is none.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = INTERNAL,
        retryable: bool | None = None,
        details: Mapping[str, Any] | None = None,
        pid: str | None = None,
        stack: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.details = details
        self.pid = pid
        self.stack = stack

    @property
    def message(self) -> str:
        """The text alone."""
        return str(self.args[0])

    def failure(self) -> Failure:
        """Return the error as a value."""
        return Failure(self.message, self.kind, self.retryable, self.details, self.stack)

    @classmethod
    def of(cls, failure: Failure, pid: str | None = None) -> ProcessError:
        """Make the exception for a failure value."""
        return cls(
            failure.message,
            kind=failure.kind,
            retryable=failure.retryable,
            details=failure.details,
            pid=pid,
            stack=failure.stack,
        )
