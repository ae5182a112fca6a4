"""The pure functions of Python that Lua modules use through the door."""

from __future__ import annotations

from actors.vm.door import Function


def pure_functions() -> dict[str, Function]:
    """Return them by name; what they need is imported when they are called first."""

    def tz(name: bytes, start: bytes) -> bytes:
        from actors.vm.door_tz import Zones

        return Zones().tz(name, start)

    return {"tz": tz}
