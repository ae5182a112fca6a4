"""PIDs as the runtime reads and writes them (spec processes.md §2); the kernel's pids.lua does the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from actors.vm.memory import SLOTS

_FORM: Final = re.compile(r"\{(?:(?P<node>[^@{}|]*)@)?(?P<host>[^{}]*)\|(?P<unique>[^|{}]*)\}")


@dataclass(frozen=True, slots=True)
class Pid:
    """A PID taken apart.

    Attributes:
        node: the node name; None when the text has none.
        host: the id of the host; for a function call the id of the function.
        mark: the mark of the run that made it; None when the unique part is not of this runtime's form.
        vm, slot, generation: where it lives; 0 is the Python program.
    """

    node: str | None
    host: str
    mark: str | None
    vm: int = 0
    slot: int = 0
    generation: int = 0

    @classmethod
    def parse(cls, text: str, mark_length: int = 10) -> Pid | None:
        """Return the parts of a PID text, or None when it is not one (and may be a name)."""
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        unique = match["unique"]
        digits = unique[2 + mark_length :]
        if not unique.startswith("0x") or len(digits) < 9 or not re.fullmatch("[0-9a-f]+", unique[2:]):
            return cls(match["node"], match["host"], None)
        number = int(digits[4:], 16)
        return cls(
            match["node"],
            match["host"],
            unique[2 : 2 + mark_length],
            int(digits[:4], 16),
            number % SLOTS,
            number // SLOTS,
        )

    @staticmethod
    def text(node: str, host: str, mark: str, vm: int, slot: int, generation: int) -> str:
        """Return the text of a PID of this run."""
        shown = f"{node}@{host}" if node else host
        return f"{{{shown}|0x{mark}{vm:04x}{generation * SLOTS + slot:05x}}}"
