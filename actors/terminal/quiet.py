"""Keeping log records off a terminal that a process writes to (`hide_logs`, spec cli.md §8)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any


class Quiet:
    """Holds back what the logging handlers of some streams would print, between `begin` and `end`.

    Handlers that write elsewhere, to a file for one, go on.
    """

    def __init__(self) -> None:
        self._handlers: list[logging.Handler] = []

    def begin(self, streams: Iterable[Any]) -> None:
        """Silence the handlers of the streams."""
        hidden = [id(stream) for stream in streams]
        for handler in list(logging.getLogger().handlers):
            if isinstance(handler, logging.StreamHandler) and id(handler.stream) in hidden:
                handler.addFilter(_nothing)
                self._handlers.append(handler)

    def end(self) -> None:
        """Let them print again."""
        for handler in self._handlers:
            handler.removeFilter(_nothing)
        self._handlers.clear()


def _nothing(record: logging.LogRecord) -> bool:
    return False
