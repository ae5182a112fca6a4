"""The embedding API: a runtime is the tree of actors that a registry describes, and the way into it from Python."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from actors.actor import wait_for
from actors.assembly import HOST_KINDS, Assembly, BatchDone
from actors.clock import Clock, Inbox, SystemClock
from actors.bridges import Reporter
from actors.definitions import Definitions, unavailable
from actors.errors import INVALID, NOT_FOUND, UNAVAILABLE, ProcessError
from actors.events import EventBus
from actors.functions import FUNCTION_HOST, FunctionHost
from actors.hosts import (
    Call,
    DeadLetter,
    HostInfo,
    HostSettings,
    Pid,
    ProcessHost,
    ProcessInfo,
    Spawn,
    Switchboard,
    Watchdog,
)
from actors.kinds import CATALOG, EntryKinds
from actors.mailbox import Mailbox
from actors.supervision import (
    BatchOutcome,
    RootSupervisor,
    ServiceState,
    ServiceUpdate,
    StopOutcome,
    TreeService,
    TreeSpec,
)
from actors.terminal import Ending, Terminal
from actors.vm.door import Door
from actors.vm.wire import Input, LuaValue, check, pack, unpack
from actors.waiting import awaited, wait
from actors.watching import RuntimeEvent, ServiceChanged, Watchers
from registry import Registry, RegistryError

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
    ) -> None:
        self.registry = registry
        self.state = Path(state) if state is not None else None
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._random = random.Random(seed)
        self._shutdown_timeout = shutdown_timeout
        self._stuck_after = stuck_after
        self._watchers = Watchers()
        self._board = Switchboard(self.clock, node, self._watchers.tell)
        self.bus = EventBus(self._board)
        self._reporter = Reporter(self.bus, registry)
        self._hosts: dict[str, ProcessHost] = {}
        self._launched: list[ProcessHost] = []
        self._tree_states: dict[str, ServiceState] = {}
        self._definitions = Definitions(registry, self._board.entry_number)
        self._vm_memory = vm_memory
        self._door = self._make_door()
        self._lock = threading.Lock()  # guards the table of hosts
        self._life = threading.Lock()  # held while the tree is set up and while it is taken down, and for the status
        self._status = "new"
        self.ending = Ending(self.stop)
        self._terminal = terminal if terminal is not None else Terminal()
        self._terminal.connect(self.ending, lambda: self._status in ("stopping", "stopped"))
        self._board.terminal = self._terminal
        self._board.on_exit = self.ending.request
        self._root: RootSupervisor | None = None
        self._functions: FunctionHost | None = None
        self._watchdog: Watchdog | None = None

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
        """Read an app folder as the command line does, and return a runtime that is not started yet.

        Args:
            path: the folder. state: as for the class. strict: unknown fields are faults. lenient: broken files are
                skipped with a warning. overrides: ``{"namespace:name:path": value}``. disable: ``{"namespaces": [...],
                "entries": [...]}``. options: further arguments of the class.

        Raises:
            registry.FaultsError: everything that is wrong in the folder, one line each.
        """
        entries = Registry.load(
            path, kinds=EntryKinds(), strict=strict, lenient=lenient, overrides=overrides, disable=disable
        )
        return cls(entries, state=state, **options)

    # the life of the runtime

    def start(self) -> None:
        """Start the tree, in dependency order. Returns when every `auto_start` service runs, has failed for good, or
        waits for a retry (spec supervision.md OP-7).

        Raises:
            registry.FaultsError: entries that only show their faults now, such as Lua with a syntax error; nothing runs.
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
        """As `start`, without blocking the event loop."""
        await asyncio.to_thread(self.start)

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
        root = self._root
        assert root is not None
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
                    self._end(root)
            self.ending.join()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until the app ends by itself, and return its exit code: a process called `system.exit`, or the process of
        a terminal host has ended. The runtime is stopping then; `stop` waits for that.

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
        """Call a `function.lua` entry and return its result.

        Args:
            timeout: seconds to wait; then the call is canceled.

        Raises:
            ProcessError: NotFound, Unavailable, or what the function failed with.
            TimeoutError: no result in time.
        """
        try:
            return wait(self.clock, self._call(function, args), timeout)
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
        return [info for host in self._all_hosts() for info in host.processes()]

    def services(self) -> list[ServiceState]:
        """Return the state of every service, the children of supervisors included, by id."""
        states = {state.id: state for state in (self._root.states() if self._root is not None else ())}
        for id, state in self._tree_states.copy().items():
            states.setdefault(id, state)
        return [states[id] for id in sorted(states)]

    def hosts(self) -> list[HostInfo]:
        """Return state and counters of every process host that was started, by id."""
        with self._lock:
            infos = {host.id: host.info() for host in self._hosts.values()}
        return [infos[id] for id in sorted(infos)]

    def dead_letters(self) -> list[DeadLetter]:
        """Return the last 1,000 messages that nobody got, oldest first."""
        return list(self._board.dead_letters)

    def watch(self, callback: Callable[[RuntimeEvent], None]) -> Callable[[], None]:
        """Call `callback` with every `ServiceChanged` and `ProcessEnded` from now on; the result ends that.

        It is called on threads of the runtime, one event after another for each service, and must return at once.
        """
        return self._watchers.add(callback)

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

    def _make_door(self) -> Door:
        from actors.vm.door_functions import pure_functions

        names = self._board.names

        def release(pid: bytes) -> bytes:
            names.release(text(pid))
            return b""

        def claim(name: bytes, pid: bytes) -> bytes:
            return names.claim(text(name), text(pid)).encode()

        def unregister(name: bytes) -> bytes:
            return b"1" if names.unregister(text(name)) else b""

        def text(name: bytes) -> str:
            return name.decode("utf-8", "surrogateescape")  # a name may hold any bytes

        door = Door(pure_functions())
        door.add("entry", self._definitions.packed)
        door.add("claim", claim)
        door.add("release", release)
        door.add("unregister", unregister)
        return door

    def _begin(self) -> Inbox:
        with self._life:
            if self._status != "new":
                text = "a runtime is started once" if self._status == "running" else "make a new one"
                raise ProcessError(f"the runtime is {self._status}: {text}", kind=INVALID)
            settled = self.clock.inbox(caller=True)
            try:
                self._set_up(settled)
            except BaseException:
                settled.close()
                raise
            self._status = "running"
            return settled

    def _set_up(self, settled: Inbox) -> None:
        first = deque([settled.put])

        def started(then: BatchDone) -> BatchDone:
            tell = first.popleft() if first else None

            def done(outcome: BatchOutcome) -> None:
                then(outcome)
                if tell is not None:
                    tell(outcome)

            return done

        root = RootSupervisor.launch(
            clock=self.clock,
            rng=random.Random(self._random.getrandbits(64)),
            sink=self._service_changed,
            references=self._references,
        )
        self._root = root
        self._reporter.begin(root)
        assembly = Assembly(
            self.registry,
            self._board,
            root,
            self._definitions,
            self._launch_host,
            tree=self._make_tree,
            max_memory=self._vm_memory,
            started=started,
            args=self._terminal.args,
        )
        self._functions = FunctionHost(self._launch_functions)
        self._watchdog = Watchdog(self._all_hosts, self._stuck_after)
        try:
            self.registry.attach(assembly)
        except BaseException:
            self._end(root)
            raise
        self._watchdog.start()

    def _references(self, id: str) -> Iterable[str]:
        try:
            return self.registry.dependencies(id)
        except RegistryError:
            return ()

    def _end(self, root: RootSupervisor) -> None:
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._functions is not None:
            self._functions.stop()
        root.stop()
        root.join(10.0)
        for host in self._launched:
            host.stop()
            host.join(5.0)
            host.join_workers(5.0)
        self._terminal.close()
        self.registry.detach()
        self._reporter.end()
        self._status = "stopped"

    def _launch_host(self, id: str, settings: HostSettings, functions: bool = False) -> ProcessHost:
        host = ProcessHost.launch(
            id,
            settings,
            self._board,
            self._door.call,
            clock=self.clock,
            rng=random.Random(self._random.getrandbits(64)),
            functions=functions,
        )
        with self._lock:
            self._launched = [known for known in self._launched if known._alive()]
            self._launched.append(host)
            if not functions:
                self._hosts[id] = host
        return host

    def _launch_functions(self) -> ProcessHost:
        return self._launch_host(FUNCTION_HOST, HostSettings(max_memory=self._vm_memory), functions=True)

    def _all_hosts(self) -> list[ProcessHost]:
        with self._lock:
            return [host for host in self._launched if host.status != "stopped"]

    def _make_tree(self, spec: TreeSpec) -> TreeService:
        return TreeService(
            spec, clock=self.clock, rng=random.Random(self._random.getrandbits(64)), sink=self._child_changed
        )

    def _service_changed(self, update: ServiceUpdate) -> None:
        self._watchers.tell(ServiceChanged(update.state, update.retry_in, update.failure))
        self._reporter.service_changed(update)

    def _child_changed(self, update: ServiceUpdate) -> None:
        if update.gone:
            self._tree_states.pop(update.state.id, None)
        else:
            self._tree_states[update.state.id] = update.state
        self._service_changed(update)

    def _running(self) -> RootSupervisor:
        if self._root is None or self._status in ("new", "stopped"):
            state = "not started" if self._status == "new" else self._status
            raise ProcessError(f"the runtime is {state}", kind=UNAVAILABLE)
        return self._root

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
        if ":" not in function:
            raise ProcessError(f"namespace required in function ID '{function}'", kind=INVALID)
        assert self._functions is not None
        return Call(self._board, self._functions.place, function, [check(value) for value in args])

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
