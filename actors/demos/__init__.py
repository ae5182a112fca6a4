"""The demos that come with Tutela: `tutela demo` lists them, `tutela demo NAME` runs one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DEMOS: Final[Mapping[str, str]] = MappingProxyType(
    {"session_manager": "a chat whose sessions and manager crash and come back, until one service gives up"}
)
"""Name of each demo, and what it shows in one line."""
