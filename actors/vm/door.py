"""The door: named pure functions of Python that Lua may call synchronously, text in and text out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from actors.errors import INTERNAL, NOT_FOUND, ProcessError

Answer = bytes | tuple[None, bytes, bytes]
Function = Callable[..., bytes]


class Door:
    """A table of functions that a VM may call at any moment.

    Every function takes texts and returns one text; it is pure or only reads, returns fast, and holds no lock that a
    VM's owner may hold. No Lua object crosses. Functions are added before the VM starts; a call is safe on any thread.
    """

    def __init__(self, functions: Mapping[str, Function] | None = None) -> None:
        self._functions: Final[dict[bytes, Function]] = {}
        for name, function in (functions or {}).items():
            self.add(name, function)

    def add(self, name: str, function: Function) -> None:
        """Make `function` callable as `name`; a later one of the same name replaces the earlier."""
        self._functions[name.encode()] = function

    def call(self, name: bytes, *args: bytes) -> Answer:
        """Call a function: its text, or ``(None, kind, message)`` when it failed. Never raises."""
        function = self._functions.get(name)
        if function is None:
            return None, NOT_FOUND.encode(), b"no function '" + name + b"' behind the door"
        try:
            return function(*args)
        except ProcessError as error:
            return None, error.kind.encode(), error.message.encode()
        except Exception as error:  # whatever it was, Lua gets it as a value; nothing may unwind through the VM
            return None, INTERNAL.encode(), f"{name.decode()}: {type(error).__name__}: {error}".encode()
