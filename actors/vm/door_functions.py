"""The pure functions of Python that Lua modules use through the door."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from actors.vm.door import Function

if TYPE_CHECKING:
    from actors.vm.door_tz import Zones


def pure_functions(local_zone: str | None = None) -> dict[str, Function]:
    """Return them by name: ``tz``, ``hash``, ``hmac``, ``base64.encode|decode``, ``json.validate``,
    ``yaml.encode|decode``, and ``entropy`` (the one that is not pure: random bytes of the operating system).

    What they need is imported when they are first called: few programs use all, and none should wait for it at its
    start.

    Args:
        local_zone: the zone that Lua sees as local, such as ``"Europe/Lisbon"``; None is that of the system.
    """
    zones: Zones | None = None

    def tz(name: bytes, start: bytes) -> bytes:
        nonlocal zones
        if zones is None:
            from actors.vm.door_tz import Zones

            zones = Zones(local_zone)
        return zones.tz(name, start)

    def digest(algorithm: bytes, form: bytes, data: bytes) -> bytes:
        from actors.vm import door_hash

        return door_hash.digest(algorithm, form, data)

    def keyed_digest(algorithm: bytes, form: bytes, data: bytes, secret: bytes) -> bytes:
        from actors.vm import door_hash

        return door_hash.keyed_digest(algorithm, form, data, secret)

    def encode(data: bytes) -> bytes:
        from actors.vm import door_hash

        return door_hash.base64_encode(data)

    def decode(text: bytes) -> bytes:
        from actors.vm import door_hash

        return door_hash.base64_decode(text)

    def valid(schema: bytes, value: bytes) -> bytes:
        from actors.vm import door_schema

        return door_schema.validate(schema, value)

    def from_yaml(text: bytes) -> bytes:
        from actors.vm import door_yaml

        return door_yaml.decode(text)

    def to_yaml(document: bytes, order: bytes) -> bytes:
        from actors.vm import door_yaml

        return door_yaml.encode(document, order)

    return {
        "tz": tz,
        "hash": digest,
        "hmac": keyed_digest,
        "base64.encode": encode,
        "base64.decode": decode,
        "json.validate": valid,
        "yaml.decode": from_yaml,
        "yaml.encode": to_yaml,
        "entropy": lambda count: os.urandom(int(count)),
    }
