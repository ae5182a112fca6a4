"""What the end of a terminal's process means for the program: exit code and last words (spec cli.md §3.4)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from actors.errors import CANCELED, Failure


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ends.

    Attributes:
        code: the exit code, 0 to 255.
        out: a text for stdout, without its newline; None for none.
        err: a text for stderr, likewise.
    """

    code: int
    out: str | bytes | None = None
    err: str | None = None


def outcome_of(value: object, failure: Failure | None, *, stopping: bool = False) -> Outcome:
    """Return what a process's result (a number, bool, text or None) or failure comes to.

    Args:
        stopping: the program is being stopped; that a process was canceled by that is not worth a word.
    """
    if failure is not None:
        if stopping and failure.kind == CANCELED:
            return Outcome(1)
        stack = "".join(f"\n  {line}" for line in failure.stack.splitlines())
        return Outcome(1, err=failure.message + stack)
    if isinstance(value, bool):
        return Outcome(0 if value else 1)
    if isinstance(value, int | float):
        return Outcome(exit_code(value))
    if isinstance(value, str | bytes):
        return Outcome(0, out=value)
    return Outcome(0)


def exit_code(number: float) -> int:
    """Return the integer part of a number as an exit code: one that the system would take modulo 256 becomes one that
    still says failure (OP-5)."""
    if math.isnan(number) or math.isinf(number):
        return 1
    whole = int(number)
    return 1 if whole < 0 else min(whole, 255)
