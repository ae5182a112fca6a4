"""An app of one host per VM in virtual time, whose processes are written in the tests."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from actors import Runtime
from actors.clock import VirtualClock
from actors.kinds import EntryKinds
from registry import History, Registry

MODULES = ("env", "events", "json", "logger", "pg", "registry", "store", "time", "yaml")
HERE = "app:here"
THERE = "app:there"


def process(name: str, body: str, *, modules: tuple[str, ...] = MODULES, **data: Any) -> dict[str, Any]:
    """Return an entry whose main function has `body`."""
    source = f"local function main(...) {body}\nend return {{main = main}}"
    return {"id": f"app:{name}", "kind": "process.lua", "data": {"source": source, "modules": list(modules), **data}}


def host(id: str) -> dict[str, Any]:
    return {"id": id, "kind": "process.host", "data": {"host": {"workers": 1}, "lifecycle": {"auto_start": True}}}


class App:
    """A runtime with two hosts, so that what crosses VMs is tested as well.

    Args:
        entries: further entries.
    """

    def __init__(self, *entries: Mapping[str, Any], history: History | None = None, **options: Any) -> None:
        self.clock = VirtualClock()
        self.registry = Registry(
            [host(HERE), host(THERE), *entries], kinds=EntryKinds(), history=history, os_environ={"HOME_TOWN": "Porto"}
        )
        self.rt = Runtime(self.registry, clock=self.clock, seed=1, **options)
        self._count = 0

    def __enter__(self) -> Self:
        self.rt.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.rt.stop(0)

    def define(self, body: str, **options: Any) -> str:
        """Make an entry of a process and return its id."""
        from registry import ChangeSet

        self._count += 1
        entry = process(f"main_{self._count}", body, **options)
        self.registry.apply(ChangeSet().create(entry))
        return str(entry["id"])

    def run(self, body: str, *args: Any, host: str = HERE, **options: Any) -> Any:
        """Run `body` as a process of its own and return its result."""
        return self.rt.exec(self.define(body, **options), host, *args, timeout=60.0)

    def spawn(self, body: str, *args: Any, host: str = HERE, **options: Any) -> str:
        """Start `body` as a process of its own and return its PID."""
        return self.rt.spawn(self.define(body, **options), host, *args)
