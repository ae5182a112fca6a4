"""Takes what the front end inserts out of a source again, so that tests see the rest."""

from __future__ import annotations

import re

SAFEPOINT = b" __r.n=__r.n-1 if __r.n<0 then __r.y() end "
JOINED = b"__r.s("
_TOKEN = re.compile(
    rb"--\[(=*)\[.*?(?:\]\1\]|\Z)|--[^\r\n]*|\[(=*)\[.*?(?:\]\2\]|\Z)|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|__r\.s\(|.",
    re.DOTALL,
)


def without_inserts(text: bytes, safepoint: bytes = b"") -> bytes:
    """Return the source without safepoints (or with `safepoint` in their place) and without ``__r.s(...)``."""
    out: list[bytes] = []
    open_parentheses: list[bool] = []  # whether each was inserted
    for match in _TOKEN.finditer(text.replace(SAFEPOINT, safepoint)):
        token = match.group()
        if token == JOINED:
            open_parentheses.append(True)
            continue
        if token == b"(":
            open_parentheses.append(False)
        elif token == b")" and open_parentheses and open_parentheses.pop():
            continue
        out.append(token)
    return b"".join(out)
