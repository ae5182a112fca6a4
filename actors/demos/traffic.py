"""The traffic script of the demo: who does what at which second.

One line is one deed::

    0.40 ana connects
    +0.3 ana writes good morning
    2.00 poison ana                  # her session crashes
    2.50 poison digest
    3.00 poison manager              # it crashes, and is started again
    4.00 ana leaves
    9.50 poison manager for good     # the archive's book is spoilt: no later manager can read it

The time is in seconds from the start, or after the line before with a ``+``. Lines need not be in order. A ``#`` at
the beginning of a line, or between blanks after the deed, begins a comment. Names are letters, digits, ``_`` and
``-``, in either case. Typed lines of ``--interactive`` have no time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from registry.errors import FaultsError
from registry.faults import Fault, Severity, nearest


class Deed(Enum):
    """What a line of the script asks for."""

    CONNECT = "connects"
    WRITE = "writes"
    LEAVE = "leaves"
    POISON = "poison"
    SPOIL = "poison manager for good"


@dataclass(frozen=True, slots=True)
class Line:
    """One deed.

    Attributes:
        at: seconds from the start.
        who: a user in lower case; of poison also ``manager`` and ``digest``.
        text: what is written; empty for other deeds.
    """

    at: float
    deed: Deed
    who: str
    text: str = ""


MANAGER: Final = "manager"
DIGEST: Final = "digest"
RESERVED: Final = frozenset({MANAGER, DIGEST, "archive", "poison"})
VERBS: Final = ("connects", "writes", "leaves")

_TIME: Final = re.compile(r"(\+?)(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


def read_script(text: str, name: str) -> list[Line]:
    """Read a script, and return its lines in the order of their times.

    Raises:
        FaultsError: with every fault, as ``name:line: got X, expected Y``.
    """
    lines: list[Line] = []
    faults: list[Fault] = []
    now = 0.0
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        time, _, rest = stripped.partition(" ")
        found = _TIME.fullmatch(time)
        try:
            if found is None:
                raise _RefusedError(repr(time), "a time in seconds, such as 1.5 or +0.2")
            now = float(found[2]) + (now if found[1] else 0.0)
            lines.append(read_deed(rest, at=now))
        except _RefusedError as refusal:
            faults.append(Fault(Severity.FAULT, name, number, "", "", refusal.got, refusal.expected, refusal.hint))
    if faults:
        raise FaultsError(faults)
    return sorted(lines, key=lambda line: line.at)


class _RefusedError(ValueError):
    def __init__(self, got: str, expected: str, hint: str = "") -> None:
        super().__init__(f"got {got}, expected {expected}{hint and '; ' + hint}")
        self.got, self.expected, self.hint = got, expected, hint


def read_deed(text: str, at: float = 0.0) -> Line:
    """Read a line without its time: ``ana writes hello``, ``poison ana``.

    Raises:
        ValueError: it is no such line; the message says what is expected.
    """
    words = re.split(r"\s#(?=\s|$)", text.strip(), maxsplit=1)[0].split()
    if not words:
        raise _RefusedError("nothing", "a deed, such as: ana connects")
    if words[0] == "poison":
        return _poison(words[1:], at)
    who = words[0].lower()
    if not _NAME.fullmatch(who) or who in RESERVED:
        raise _RefusedError(repr(words[0]), "the name of a user, in letters, digits, _ and -")
    verb = words[1] if len(words) > 1 else ""
    if verb not in VERBS:
        raise _RefusedError(
            repr(verb) if verb else "nothing", f"connects, writes or leaves after {who}", nearest(verb, VERBS)
        )
    deed = Deed(verb)
    rest = " ".join(words[2:])
    if (deed is Deed.WRITE) != bool(rest):
        raise _RefusedError(
            repr(rest) if rest else "nothing", "a text" if deed is Deed.WRITE else f"nothing after {verb}"
        )
    return Line(at, deed, who, rest)


def _poison(words: list[str], at: float) -> Line:
    who = words[0].lower() if words else ""
    if not _NAME.fullmatch(who) or (who in RESERVED and who not in (MANAGER, DIGEST)):
        raise _RefusedError(repr(who) if who else "nothing", "a user, manager or digest after poison")
    rest = words[1:]
    if not rest:
        return Line(at, Deed.POISON, who)
    if who == MANAGER and rest == ["for", "good"]:
        return Line(at, Deed.SPOIL, who)
    expected = "nothing or: for good" if who == MANAGER else f"nothing after poison {who}"
    raise _RefusedError(repr(" ".join(rest)), expected)
