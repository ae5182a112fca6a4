"""The embedding API: a runtime is the tree of actors that a registry describes, and the way into it from Python."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from actors.actor import wait_for
from actors.assembly import HOST_KINDS
from actors.clock import Clock, Inbox, SystemClock
from actors.definitions import unavailable
from actors.errors import INVALID, NOT_FOUND, UNAVAILABLE, ProcessError
from actors.hosts import (
    Call,
    DeadLetter,
    HostInfo,
    Pid,
    ProcessInfo,
    Spawn,
)
from actors.kinds import CATALOG
from actors.loading import AppFolder, close_history, open_history
from actors.machinery import Machinery
from actors.mailbox import Mailbox
from actors.supervision import (
    BatchOutcome,
    RootSupervisor,
    ServiceState,
    StopOutcome,
)
from actors.terminal import Ending, Terminal
from actors.vm.wire import Input, LuaValue, check, pack, unpack
from actors.waiting import awaited, wait
from actors.watching import RuntimeEvent
from registry import History, Registry, Version

log = logging.getLogger(__name__)

MAX_MEMORY: Final = 2 << 30
"""Bytes of Lua memory that a VM may take unless told otherwise."""


class Runtime:
    """Runs the app of a registry: hosts, supervised services and the processes that they spawn.

    Safe from any thread. Calls that wait have an asyncio form with an ``a`` in front; nothing else waits. Values are
    copied on their way in and out: None, bool, numbers, str, bytes, lists, dicts, and errors.

    ::

        with Runtime.load("path/to/app") as rt:
            pid = rt.spawn("app:worker", "app:processes", {"n": 1})
            rt.send(pid, "job", {"id": 7})

    Args:
        registry: the entries. state: the folder for what the runtime itself keeps; made at first use.
        clock: where time comes from; a `VirtualClock` in tests.
        seed: where random numbers begin, for repeatable runs.
        node: the node name that PIDs show.
        vm_memory: bytes of Lua memory that each VM may take, 0 for no bound.
        stuck_after: seconds after which a VM that does not come back from one step is replaced.
        shutdown_timeout: seconds that `stop` and leaving a `with` block wait for services to end.
        terminal: the streams of the process on a terminal host; by default those of the program.
        strict_security: code without an actor or a scope may do nothing that is checked.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        state: str | os.PathLike[str] | None = None,
        clock: Clock | None = None,
        seed: int | None = None,
        node: str = "",
        vm_memory: int = MAX_MEMORY,
        stuck_after: float = 10.0,
        shutdown_timeout: float = 30.0,
        terminal: Terminal | None = None,
        strict_security: bool = False,
    ) -> None:
        self.registry = registry
        self.state = Path(state) if state is not None else None
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._shutdown_timeout = shutdown_timeout
        self._life = threading.Lock()  # held while the tree is set up and while it is taken down, and for the status
        self._status = "new"
        self.ending = Ending(self.stop)
        self._terminal = terminal if terminal is not None else Terminal()
        self._terminal.connect(self.ending, lambda: self._status in ("stopping", "stopped"))
        self._machine = Machinery(
            registry,
            clock=self.clock,
            rng=random.Random(seed),
            node=node,
            max_memory=vm_memory,
            stuck_after=stuck_after,
            terminal=self._terminal,
            ending=self.ending,
            strict_security=strict_security,
        )
        self._board = self._machine.board
        self.bus = self._machine.bus
        self._app: AppFolder | None = None  # what `load` read
        self._history: History | None = None  # what `load` opened, for `_end` to close

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        state: str | os.PathLike[str] | None = None,
        strict: bool = False,
        lenient: bool = False,
        overrides: Mapping[str, Any] | None = None,
        disable: Mapping[str, Iterable[str]] | None = None,
        **options: Any,
    ) -> Self:
        """Read an app folder as the command line does, its `.wippy.yaml` included, and return a runtime that is not
        started yet.

        Args:
            path: the folder. state: as for the class. strict: unknown fields are faults. lenient: broken files are
                skipped with a warning. overrides: ``{"namespace:name:path": value}``. disable: ``{"namespaces": [...],
                "entries": [...]}``; both beside and over the configuration. options: further arguments of the class.

        Raises:
            registry.FaultsError: everything that is wrong in the folder, one line each.
            registry.RegistryError: the file of the registry's history cannot be used.
            actors.config.ConfigError: everything that is wrong in the configuration.
        """
        app = AppFolder.find(path, strict=strict, lenient=lenient, overrides=overrides, disable=disable)
        config = app.config
        history = open_history(config, state)
        try:
            options.setdefault("node", config.node_name or os.environ.get("WIPPY_NODE_ID", ""))
            options.setdefault("shutdown_timeout", config.shutdown_timeout)
            loaded = cls(app.registry(history), state=state, **options)
        except BaseException:
            close_history(history)
            raise
        loaded._app, loaded._history = app, history
        return loaded

    def reload(self) -> Version | None:
        """Read the folder of `load` again and apply what has changed in it: all or nothing. None when nothing has.

        Raises:
            registry.RegistryError: the files or the change are refused (a FaultsError lists why); all is as it was.
            ProcessError: Invalid, when the runtime was not made by `load`.
        """
        if self._app is None:
            raise ProcessError("only a runtime that was made by Runtime.load can be reloaded", kind=INVALID)
        return self._app.adopt(self.registry)

    async def areload(self) -> Version | None:
        """As `reload`, without blocking the event loop."""
        return await asyncio.to_thread(self.reload)

    # the life of the runtime

    def start(self) -> None:
        """Start the tree, in dependency order. Returns when every `auto_start` service runs, has failed for good, or
        waits for a retry (spec supervision.md OP-7).

        Raises:
            registry.FaultsError: entries that only show their faults now; nothing runs.
            ProcessError: Invalid, when it was started or stopped before; Unavailable, when it is stopped meanwhile.
        """
        settled = self._begin()
        try:
            settled.take()
        except BaseException:  # Ctrl-C: nothing may be left running that nobody holds
            self.stop(0)
            raise
        finally:
            settled.close()
        if self._status in ("stopping", "stopped"):
            raise ProcessError("the runtime was stopped while it started", kind=UNAVAILABLE)

    async def astart(self) -> None:
        """As `start`, without blocking the event loop; a cancellation stops what has started."""
        try:
            await asyncio.to_thread(self.start)
        except asyncio.CancelledError:
            await asyncio.to_thread(self.stop, 0)
            raise

    def stop(self, timeout: float | None = None) -> None:
        """Stop everything in reverse dependency order, and end all threads. Calling it again does nothing; a call
        while another one waits may shorten its time. A runtime that was stopped cannot be started again.

        Args:
            timeout: seconds after which what still lives is killed; by default `shutdown_timeout`. 0: at once.
        """
        with self._life:
            idle = self._status in ("new", "stopped")
            self._status = "stopped" if idle else "stopping"
        if idle:
            self.ending.join()
            return
        root = self._running()
        limit = self._shutdown_timeout if timeout is None else timeout
        try:

            def begin(done: Callable[[StopOutcome], None]) -> None:
                root.shutdown(limit, done)

            outcome = wait_for(self.clock, begin)
            if outcome.timed_out:
                log.warning("services still ran after %g s and were killed", limit)
        except BaseException:  # a second Ctrl-C
            root.shutdown(0, lambda outcome: None)
            raise
        finally:
            with self._life:
                if self._status != "stopped":
                    self._end()
            self.ending.join()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until the app ends by itself, and return its exit code: a process called `system.exit`, or that of a
        terminal host has ended. The runtime is stopping then; `stop` waits for that.

        Returns None when `timeout` real seconds have passed.
        """
        return self.ending.wait(timeout)

    async def astop(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """As `stop`, without blocking the event loop."""
        await asyncio.to_thread(self.stop, timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(0 if isinstance(error, KeyboardInterrupt) else None)

    async def __aenter__(self) -> Self:
        await self.astart()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.astop()

    # processes

    def spawn(self, entry: str, host: str, *args: LuaValue, name: str | None = None) -> str:
        """Start a process of a `process.lua` entry on a host and return its PID; it may not have run yet.

        With a name that is taken no process is started, and the holder's PID is returned. Waits for the VM, not for the
        process.

        Raises:
            ProcessError: NotFound (entry, host), Unavailable (host not running), LimitExceeded, Invalid (a value that
                cannot cross), or what the script raised while it loaded.
        """
        return _pid_of(wait(self.clock, self._spawn(entry, host, args, {} if name is None else {"name": name})))

    async def aspawn(self, entry: str, host: str, *args: LuaValue, name: str | None = None) -> str:
        """As `spawn`, without blocking the event loop; after a cancellation no process is left."""
        request = self._spawn(entry, host, args, {} if name is None else {"name": name})
        return _pid_of(await awaited(self.clock, request))

    def exec(self, entry: str, host: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:
        """Start a process, wait until it ends, and return its result.

        Args:
            timeout: seconds to wait; then the process is terminated, as by whatever else ends the wait (Ctrl-C).

        Raises:
            ProcessError: as `spawn`, and what the process failed with.
            TimeoutError: it did not end in time.
        """
        try:
            return wait(self.clock, self._spawn(entry, host, args, {"exec": True}), timeout)
        except TimeoutError:
            raise TimeoutError(f"{entry} did not end within {timeout} s; it was terminated") from None

    async def aexec(self, entry: str, host: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:  # noqa: ASYNC109
        """As `exec`, without blocking the event loop; a cancellation terminates the process."""
        try:
            return await awaited(self.clock, self._spawn(entry, host, args, {"exec": True}), timeout)
        except TimeoutError:
            raise TimeoutError(f"{entry} did not end within {timeout} s; it was terminated") from None

    def send(self, target: str, topic: str, *payload: LuaValue) -> None:
        """Queue a message at a process or mailbox (PID or name). Never waits; returning means that it is queued, not
        that it is read. Messages of one thread to one process arrive in order.

        Raises:
            ProcessError: NotFound; Invalid for a topic that begins with ``@`` or a value that cannot cross.
        """
        self._send(target, topic, payload, None)

    def cancel(self, target: str, reason: str | None = None, *, deadline: float | None = None) -> None:
        """Ask a process to end: it gets a CANCEL event and decides itself.

        Args:
            deadline: seconds after which it is terminated if it still lives.

        Raises:
            ProcessError: NotFound; Invalid for a mailbox of the Python program.
        """
        pid, parsed = self._board.resolve(target)
        self._board.worker_of(parsed, "canceled").post([Input.CANCEL, pid, None, reason, deadline])

    def terminate(self, target: str) -> None:
        """End a process at its next step; its code does not run again.

        Raises:
            ProcessError: NotFound; Invalid for a mailbox of the Python program.
        """
        pid, parsed = self._board.resolve(target)
        self._board.worker_of(parsed, "terminated").post([Input.TERMINATE, pid])

    def lookup(self, name: str) -> str | None:
        """Return the PID that a name is registered for, or None."""
        return self._board.names.lookup(name)

    def mailbox(self) -> Mailbox:
        """Return a new mailbox of this program, with a PID of its own. Close it when it is not needed any more."""
        return Mailbox(self._board)

    # functions

    def call(self, function: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:
        """Call a function (`function.lua`, `function.python`, or a process with `meta.default_host`) and return its
        result.

        Args:
            timeout: seconds to wait; then the call is canceled.

        Raises:
            ProcessError: NotFound, Unavailable, or what the function failed with.
            TimeoutError: no result in time.
        """
        request = self._call(function, args)
        request.patient = timeout is None  # who may leave before the answer must not be held by a VM
        try:
            return wait(self.clock, request, timeout)
        except TimeoutError:
            raise TimeoutError(f"{function} did not return within {timeout} s; the call was canceled") from None

    async def acall(self, function: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:  # noqa: ASYNC109
        """As `call`, without blocking the event loop; a cancellation cancels the call."""
        try:
            return await awaited(self.clock, self._call(function, args), timeout)
        except TimeoutError:
            raise TimeoutError(f"{function} did not return within {timeout} s; the call was canceled") from None

    # inspection: never waits for a VM, answers while one is stuck

    def processes(self) -> list[ProcessInfo]:
        """Return all living processes, function calls included."""
        return [info for host in self._machine.hosts() for info in host.processes()]

    def services(self) -> list[ServiceState]:
        """Return the state of every service, the children of supervisors included, by id."""
        return self._machine.services()

    def hosts(self) -> list[HostInfo]:
        """Return state and counters of every process host that was started, by id."""
        return self._machine.infos()

    def dead_letters(self) -> list[DeadLetter]:
        """Return the last 1,000 messages that nobody got, oldest first."""
        return list(self._board.dead_letters)

    def watch(self, callback: Callable[[RuntimeEvent], None]) -> Callable[[], None]:
        """Call `callback` with every `ServiceChanged` and `ProcessEnded` from now on; the result ends that.

        It is called on threads of the runtime, one event after another for each service, and must return at once.
        """
        return self._machine.watchers.add(callback)

    # services

    def start_service(self, id: str, timeout: float | None = None) -> None:
        """Start a service and what it needs, with a new count of failures; wait until it runs, or has failed.

        Raises:
            ProcessError: NotFound, or why it did not start.
            TimeoutError: it is not decided in time.
        """

        def begin(done: Callable[[BatchOutcome], None]) -> None:
            self._running().start_service(id, settled=done)

        outcome = wait_for(self.clock, begin, timeout)
        if outcome.errors:
            raise ProcessError.of(outcome.errors[0])

    def stop_service(self, id: str, timeout: float | None = None) -> None:
        """Stop a service and all that depend on it, dependents first.

        Raises:
            ProcessError: NotFound, or a service did not stop in time and could not be killed.
            TimeoutError: it goes on after `timeout` seconds.
        """

        def begin(done: Callable[[StopOutcome], None]) -> None:
            self._running().stop_service(id, done)

        outcome = wait_for(self.clock, begin, timeout)
        if outcome.error is not None:
            raise ProcessError.of(outcome.error)
        if outcome.failed:
            raise ProcessError("; ".join(f"{id}: {why}" for id, why in outcome.failed.items()))

    async def astart_service(self, id: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """As `start_service`, without blocking the event loop."""
        await asyncio.to_thread(self.start_service, id, timeout)

    async def astop_service(self, id: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """As `stop_service`, without blocking the event loop."""
        await asyncio.to_thread(self.stop_service, id, timeout)

    # inside

    def _begin(self) -> Inbox:
        with self._life:
            if self._status != "new":
                text = "a runtime is started once" if self._status == "running" else "make a new one"
                raise ProcessError(f"the runtime is {self._status}: {text}", kind=INVALID)
            settled = self.clock.inbox(caller=True)
            try:
                self._machine.set_up(settled.put)
            except BaseException:
                settled.close()
                self._end()
                raise
            self._status = "running"
            return settled

    def _end(self) -> None:
        self._machine.take_down()
        if self._history is not None:
            close_history(self._history)
        self._status = "stopped"

    def _running(self) -> RootSupervisor:
        root = self._machine.root
        if root is None or self._status in ("new", "stopped"):
            state = "not started" if self._status == "new" else self._status
            raise ProcessError(f"the runtime is {state}", kind=UNAVAILABLE)
        return root

    def _spawn(self, entry: str, host: str, args: tuple[LuaValue, ...], options: dict[str, Any]) -> Spawn:
        self._running()
        packed = [check(value) for value in args]
        if options.get("name") == "":
            raise ProcessError("a name must not be empty", kind=INVALID)
        if "name" in options and Pid.parse(options["name"]) is not None:
            raise ProcessError(f"a name must not look like a PID: {options['name']}", kind=INVALID)
        self._refuse_unavailable(host)
        return Spawn(self._board, host, entry, packed, options)

    def _call(self, function: str, args: tuple[LuaValue, ...]) -> Call:
        self._running()
        return Call(self._board, self._machine.place_call, function, [check(value) for value in args])

    def _refuse_unavailable(self, host: str) -> None:
        if host in self.registry:
            entry = self.registry.get(host)
            info = CATALOG.get(entry.kind)
            if info is not None and not info.runs:
                raise unavailable(entry)
            if entry.kind not in HOST_KINDS:
                raise ProcessError(f"{host} is a {entry.kind}, not a process host", kind=INVALID, retryable=False)

    def _send(self, target: str, topic: str, payload: tuple[LuaValue, ...], sender: str | None) -> None:
        if topic.startswith("@"):
            raise ProcessError(f"cannot send to @ topics: '{topic}'", kind=INVALID)
        packed = [check(value) for value in payload]
        pid, parsed = self._board.resolve(target)
        if parsed.vm == 0:
            if not self._board.deliver(pid, topic, sender, [_copy(value) for value in packed]):
                raise ProcessError(f"process not found: {target}", kind=NOT_FOUND, pid=pid)
            return
        self._board.worker_of(parsed).post([Input.SEND, pid, topic, sender, packed, len(packed)])


def _copy(value: LuaValue) -> LuaValue:
    return unpack(pack(value))


def _pid_of(value: Any) -> str:
    return str(value["holder"]) if isinstance(value, dict) else str(value)
