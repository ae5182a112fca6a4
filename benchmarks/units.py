"""The units of the figures: each is kept in a base unit and shown in one that people read."""

from __future__ import annotations

from enum import Enum


class Unit(Enum):
    """A unit; the value is its base unit."""

    MESSAGES = "messages/s"
    CALLS = "calls/s"
    SECONDS = "s"
    BYTES = "bytes"

    def show(self, value: float) -> str:
        """Return `value`, which is in the base unit, for people."""
        if self is Unit.SECONDS:
            return _duration(value)
        if self is Unit.BYTES:
            return _scaled(value, 1024.0, ("B", "KB", "MB", "GB"))
        return _scaled(value, 1000.0, ("/s", "k/s", "M/s", "G/s"))


def _duration(seconds: float) -> str:
    for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{_digits(seconds / scale)} {name}"
    return f"{_digits(seconds * 1e9)} ns"


def _scaled(value: float, base: float, names: tuple[str, ...]) -> str:
    place = 0
    while abs(value) >= base and place < len(names) - 1:
        value /= base
        place += 1
    return f"{_digits(value)} {names[place]}"


def _digits(value: float) -> str:
    """Three digits that count, as a measurement of this kind deserves."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
