"""Running tests, and what came of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from actors.apptests.cases import Case
from actors.errors import INTERNAL, TIMEOUT, ProcessError

if TYPE_CHECKING:
    from registry import Registry

Call = Callable[[str, float], Any]
"""Calls a function by its id, for at most so many seconds, and returns its result; raises as `Runtime.call` does."""

_PLACE: Final = re.compile(r"^(?P<name>.+?):(?P<line>\d+)(?=$|:| in )")


@dataclass(frozen=True, slots=True)
class Result:
    """How one test went.

    Attributes:
        seconds: how long it took.
        message, kind: of the failure. file, line: where it happened, ``"", 0`` when unknown.
        stack: lines, innermost frame first.
    """

    case: Case
    passed: bool
    seconds: float
    message: str = ""
    kind: str = ""
    file: str = ""
    line: int = 0
    stack: tuple[str, ...] = ()


class Places:
    """Finds the files that Lua means by the names in its messages and stacks."""

    def __init__(self, entries: Registry) -> None:
        self._sources = {}
        for entry in entries.find({}):
            if entry.kind.endswith(".lua"):
                source = entries.source_of(entry.id)
                self._sources[source.name] = source

    def find(self, *texts: str) -> tuple[str, int]:
        """Return file and line of the first text that begins with a place; ``"", 0`` when none does."""
        for text in texts:
            found = _PLACE.match(text)
            if found is None:
                continue
            source = self._sources.get(found["name"])
            if source is None or not source.file:
                return found["name"], int(found["line"])
            return source.file, source.first_line + int(found["line"]) - 1
        return "", 0


def run_cases(cases: Iterable[Case], call: Call, clock: Callable[[], float], places: Places) -> Iterator[Result]:
    """Run tests one after another, and yield each result as it comes."""
    for case in cases:
        yield run_case(case, call, clock, places)


def run_case(case: Case, call: Call, clock: Callable[[], float], places: Places) -> Result:
    """Run one test: it passes if it returns, and not false. `clock` counts seconds."""
    began = clock()
    message, kind, stack = "", "", ""
    try:
        if call(case.id, case.timeout) is False:
            message, kind = "the test returned false", INTERNAL
    except TimeoutError:
        message, kind = f"the test took longer than {case.timeout:g} s", TIMEOUT
    except ProcessError as error:
        message, kind, stack = error.message, error.kind, error.stack
    seconds = clock() - began
    if not message and not kind:
        return Result(case, True, seconds)
    lines = tuple(stack.splitlines())
    file, line = places.find(message, *lines)
    if not file:
        file, line = case.file, case.line
    return Result(case, False, seconds, message, kind, file, line, lines)
