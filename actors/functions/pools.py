"""What the `pool:` block of a Lua function means: how many calls at once, and who counts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from actors.kinds.lua import PoolSpec

AUTOMATIC: Final = 100
"""Calls at once in one VM of a function without a pool."""
_STATIC: Final = 8
_GROWING: Final = 16
_BUFFER_PER_WORKER: Final = 64


@dataclass(frozen=True, slots=True)
class PoolBounds:
    """The bounds of a function's pool (spec registry.md §10.1).

    Attributes:
        bound: calls at once; 0 for no bound.
        shared: the bound holds for the whole runtime, because it is written in the entry; else in each VM.
        buffer: how many calls may wait before `funcs.async` makes its caller wait too.
        keep: idle environments stay until the entry changes; else they go after a while.
    """

    bound: int
    shared: bool
    buffer: int
    keep: bool


def pool_bounds(spec: PoolSpec) -> PoolBounds:
    """Return what `spec` means. The first size that is written counts, whatever the type."""
    static = spec.type == "static" or (spec.type is None and spec.workers > 0)
    sizes = (spec.workers, spec.size, spec.max_size) if static else (spec.max_size, spec.workers, spec.size)
    written = next((size for size in sizes if size), 0)
    if written:
        bound = written
    elif static:
        bound = _STATIC
    elif spec.type == "inline":
        bound = 0
    else:
        bound = AUTOMATIC if spec.type is None else _GROWING
    buffer = spec.buffer or (bound * _BUFFER_PER_WORKER if static else 0)
    return PoolBounds(bound, written > 0, buffer, static)
