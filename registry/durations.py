"""Durations as Go writes them: ``300ms``, ``1.5h``, ``1h30m``; float seconds on the Python side."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 2**63 / 1e9
_NUMBER = r"(?:\d+\.?\d*|\.\d+)"
_UNIT = "ns|us|µs|μs|ms|s|m|h"
_PART = re.compile(rf"({_NUMBER})({_UNIT})", re.ASCII)

PATTERN = rf"^[-+]?(0|({_NUMBER}({_UNIT}))+)$"
"""What a duration looks like, as a regular expression that JSON Schema understands as well."""

_WHOLE = re.compile(PATTERN, re.ASCII)


def parse_duration(text: str) -> float:
    """Return the seconds that a duration text means.

    A sign may stand in front; ``0`` needs no unit.

    Raises:
        ValueError: the text is no duration (a number without a unit, an unknown unit, blanks), or longer than the
            292 years that Go can count in nanoseconds.
    """
    if not isinstance(text, str) or _WHOLE.match(text) is None or text.endswith("\n"):
        raise ValueError(f"not a duration: {text!r}; write a number with a unit, such as '500ms', '2s' or '1h30m'")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds > _LONGEST:
        raise ValueError(f"not a duration: {text!r} is longer than 292 years")
    return -seconds if text.startswith("-") else seconds


def format_duration(seconds: float) -> str:
    """Write seconds as Go does: ``1.5s``, ``2m0s``, ``1h30m0s``, ``250ms``; exact to the nanosecond."""
    nanoseconds = round(seconds * 1e9)
    sign, nanoseconds = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1_000:
            return f"{sign}{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    text = f"{_decimal(rest, 1_000_000_000)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}"
    return sign + text


def _decimal(amount: int, size: int) -> str:
    whole, part = divmod(amount, size)
    if not part:
        return str(whole)
    return f"{whole}.{str(part).rjust(len(str(size)) - 1, '0').rstrip('0')}"
