"""One LuaJIT state with the kernel in it: the only code of the runtime that runs Lua processes (design §3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from actors.vm.sources import lua_modules, read_lua
from actors.vm.wire import Unpacker, pack, packer

_MODULES: Final = (
    "state",
    "object",
    "errors",
    "values",
    "message",
    "msgpack",
    "pids",
    "outbox",
    "scheduler",
    "timers",
    "channel",
    "coroutines",
    "patterns",
    "strings",
    "random",
    "sandbox",
    "loader",
    "feeds",
    "formats",
    "mailbox",
    "lifecycle",
    "remote",
    "spawning",
    "names",
    "process",
    "retry",
    "pools",
    "functions",
    "future",
    "terminal",
    "security",
    "kernel",
)


_INSTALL: Final = rb"""
return function(name, source)
  local compiled = assert(loadstring(source, "=[tutela]/" .. name))
  package.preload[name] = compiled
end
"""

_START: Final = rb"""
return function(settings, door)
  local kernel = require("kernel")
  kernel.start(settings, door)
  return kernel.step, kernel.memory, kernel.collect
end
"""


@cache
def _sources() -> dict[bytes, bytes]:
    names = [*_MODULES, *(name for name in lua_modules("modules") if name != "modules")]
    return {name.encode(): read_lua(name) for name in names}


@dataclass(frozen=True, slots=True)
class VMSettings:
    """What a VM is told at its start.

    Attributes:
        vm: its index in the runtime, from 1; never used again in one run.
        host: the id of the host that it belongs to.
        mark: the mark of the run, hexadecimal, part of every PID.
        node: the node name that PIDs show; empty for none.
        address: address of its generations in memory; `header` that of its counters.
        workers: how many VMs its host has.
        limit: how many processes it may have; None for no bound.
        mailbox_limit, mailbox_overflow: bounds of mailboxes; spec processes.md §5.
        seed1, seed2: where its random numbers begin.
        max_memory: bytes that its Lua state may take; 0 for no bound.
        slice: reductions that a process may use before others get a turn; None for the usual.
        hard_limit: reductions after which code that cannot be preempted is ended; None for the usual.
        terminal: it is the VM of a terminal host. hide_logs, args: of that terminal.
    """

    vm: int
    host: str
    mark: str
    node: str
    address: int
    header: int
    workers: int = 1
    limit: int | None = None
    mailbox_limit: int | None = None
    mailbox_overflow: str = "fail"
    seed1: int = 0
    seed2: int = 0
    max_memory: int = 0
    terminal: bool = False
    hide_logs: bool = False
    args: tuple[str, ...] = ()
    slice: int | None = None
    hard_limit: int | None = None


class LuaVM:
    """A Lua state that belongs to the thread that made it.

    No Lua object leaves it: inputs, outputs and the door carry bytes and numbers. An error of the kernel itself (also
    ``lupa.LuaMemoryError``) leaves the state unusable: throw the VM away.

    Args:
        settings: what the VM is told at its start.
        door: called synchronously by the kernel with a name and texts; answers with bytes, or with
            ``(None, kind, message)``.
    """

    def __init__(self, settings: VMSettings, door: Callable[..., Any]) -> None:
        from lupa import luajit21  # here, so that importing the package loads no Lua

        runtime = luajit21.LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
        )
        install = runtime.execute(_INSTALL)
        for name, source in _sources().items():
            install(name, source)
        start = runtime.execute(_START)
        fields = {key: getattr(settings, key) for key in VMSettings.__slots__ if getattr(settings, key) is not None}
        self._step, self._memory, self._collect = start(pack(fields), door)
        runtime.execute(b"python = nil")
        self._runtime = runtime
        self._pack, self._unpack = packer(), Unpacker().all

    def step(
        self, inputs: list[Any], now: float, wall: float, budget: int
    ) -> tuple[list[list[Any]], float | None, bool]:
        """Take in `inputs`, run processes, and return what leaves.

        Blocks until no process is ready or `budget` reductions are used; the GIL is released meanwhile.

        Args:
            inputs: records that begin with an `Input`, values checked.
            now: monotonic seconds. wall: Unix seconds.
            budget: reductions, roughly loop turns and calls of scripts.

        Returns:
            The output records, each beginning with an `Output`; the next deadline in monotonic seconds, or None;
            whether ready processes are left.
        """
        packed, deadline, busy = self._step(self._pack(inputs) if inputs else None, now, wall, budget)
        return (self._unpack(packed) if packed else []), deadline, bool(busy)

    def memory(self) -> int:
        """Return the bytes that Lua uses, garbage included."""
        return int(self._memory())

    def collect(self) -> int:
        """Collect all garbage and return the bytes that Lua uses."""
        return int(self._collect())
