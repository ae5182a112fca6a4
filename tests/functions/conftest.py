"""Fixtures for tests of functions: a world of VMs whose pools are counted as in a runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from actors.functions import Permits
from tests.processes.harness import World

MODULES = ("funcs", "ctx", "time", "json")


class FunctionWorld(World):
    """A world in which scripts may call functions."""

    def __init__(self, hosts: Mapping[str, int] | None = None, **options: Any) -> None:
        super().__init__(hosts, **options)
        self.permits = Permits(self.board.tell)
        self.permits.add_to(self.door)
        self.board.on_departure(self.permits.lose)

    def function(self, name: str, body: str, **options: Any) -> str:
        """Define the function ``app:name`` whose body is `body`; returns its id."""
        id = f"app:{name}"
        text = f"local function run(...) {body}\nend return {{run = run}}"
        self.script(id, text, kind="function.lua", method="run", modules=MODULES, **options)
        return id

    def caller(self, body: str, *args: Any, **options: Any) -> Any:
        """Run `body` as a process that knows `funcs` and return its result; time passes as it wants."""
        options.setdefault("modules", MODULES)
        return self.main(f"local funcs, ctx, time = funcs, ctx, time {body}", *args, **options)


@pytest.fixture
def world() -> FunctionWorld:
    return FunctionWorld()
