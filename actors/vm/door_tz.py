"""Time zones behind the door: what a zone says of a stretch of time, from the system's zone data or `tzdata`."""

from __future__ import annotations

import time
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from actors.errors import NOT_FOUND, ProcessError

STRETCH: Final = 4194304  # seconds that one answer covers; the Lua side (time_location.lua) asks by it
_PROBE: Final = 86400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = -62135510400  # 0001-01-02: zoneinfo knows the years 1 to 9999, outside the nearest answer stands
_LAST: Final = 253402214400  # 9999-12-31

State = tuple[int, bool, str]  # offset in seconds, daylight saving, abbreviation


def _local_state(second: int) -> State:
    there = time.localtime(second)
    return there.tm_gmtoff, there.tm_isdst > 0, there.tm_zone


def _zone_state(zone: zoneinfo.ZoneInfo) -> Callable[[int], State]:
    def state(second: int) -> State:
        there = (_EPOCH + timedelta(seconds=second)).astimezone(zone)
        offset, dst = there.utcoffset(), there.dst()
        return (
            int(offset.total_seconds()) if offset is not None else 0,
            bool(dst),
            there.tzname() or "",
        )

    return state


@lru_cache(maxsize=256)
def _named(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ProcessError(
            f"unknown time zone {name!r} (want a name such as 'Europe/Lisbon'; on a system without zone data "
            "install the package tzdata)",
            kind=NOT_FOUND,
        ) from error


def _segments(state: Callable[[int], State], start: int) -> list[tuple[int, State]]:
    """The states that hold from `start` for a stretch, each with its first second.

    A state is looked for once a day: two changes within a day that cancel each other do not occur in the zone data.
    """
    found = [(start, state(start))]
    low = start
    while low < start + STRETCH - 1:
        high = min(low + _PROBE, start + STRETCH - 1)
        if state(high) != found[-1][1]:
            last, first = low, high
            while first - last > 1:
                middle = (first + last) // 2
                if state(middle) == found[-1][1]:
                    last = middle
                else:
                    first = middle
            found.append((first, state(first)))
            high = first
        low = high
    return found


class Zones:
    """The function `tz` of the door.

    Args:
        local: the zone that counts as local, by name; None is that of the system.
    """

    def __init__(self, local: str | None = None) -> None:
        self._local = local

    def tz(self, name: bytes, start: bytes) -> bytes:
        """Return lines ``from offset isdst abbreviation`` for the STRETCH seconds that begin at Unix second `start`.

        `name` is that of the IANA database, or ``Local``.

        Raises:
            ProcessError: no such zone, kind NotFound.
        """
        text = name.decode(errors="replace")
        second = min(max(int(start), _FIRST), _LAST - STRETCH)
        if text == "Local":
            text = self._local or text
        state = _local_state if text == "Local" else _zone_state(_named(text))
        lines = [
            f"{first if index else int(start)} {offset} {int(dst)} {abbreviation}"
            for index, (first, (offset, dst, abbreviation)) in enumerate(_segments(state, second))
        ]
        return "\n".join(lines).encode()
