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

from actors.assembly import Assembly, BatchDone
from actors.clock import Clock, SystemClock
from actors.definitions import Definitions, unavailable
from actors.errors import INVALID, NOT_FOUND, UNAVAILABLE, Failure, ProcessError
from actors.functions import FUNCTION_HOST, FunctionHost
from actors.hosts import DeadLetter, HostInfo, HostSettings, ProcessEnded, ProcessHost, ProcessInfo, Switchboard, Watchdog
from actors.hosts.worker import VMWorker
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
from actors.vm.door import Door
from actors.vm.wire import Input, LuaValue, check
from actors.watching import RuntimeEvent, ServiceChanged, Watchers
from registry import Registry

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
    ) -> None:
        self.registry = registry
        self.state = Path(state) if state is not None else None
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._random = random.Random(seed)
        self._shutdown_timeout = shutdown_timeout
        self._stuck_after = stuck_after
        self._watchers = Watchers()
        self._board = Switchboard(self.clock, node, self._watchers.tell)
        self._hosts: dict[str, ProcessHost] = {}
        self._past_hosts: dict[str, HostInfo] = {}
        self._launched: list[ProcessHost] = []
        self._tree_states: dict[str, ServiceState] = {}
        self._definitions = Definitions(registry, self._board.entry_number)
        self._vm_memory = vm_memory
        self._door = self._make_door()
        self._lock = threading.Lock()  # guards start and stop, and the table of hosts
        self._status = "new"
        self._root: RootSupervisor | None = None
        self._functions: FunctionHost | None = None
        self._watchdog: Watchdog | None = None
        self._first_batch: Any = None

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
            registry.FaultsError: entries that only show their faults now, such as Lua with a syntax error. Nothing runs.
            ProcessError: kind Invalid, when it was started before.
        """
        settled = self._begin()
        settled.take()
        settled.close()

    async def astart(self) -> None:
        """As `start`, without blocking the event loop."""
        await asyncio.to_thread(self.start)

    def stop(self, timeout: float | None = None) -> None:
        """Stop everything in reverse dependency order, and end all threads. Calling it again does nothing.

        Args:
            timeout: seconds after which what still lives is killed; by default `shutdown_timeout`. 0: at once.
        """
        with self._lock:
            if self._status in ("new", "stopped"):
                self._status = "stopped"
                return
            self._status = "stopping"
        root = self._root
        assert root is not None
        done = self.clock.inbox(caller=True)
        limit = self._shutdown_timeout if timeout is None else timeout
        root.shutdown(limit, done.put)
        outcomes: list[StopOutcome] = done.take()
        done.close()
        if outcomes and outcomes[0].timed_out:
            log.warning("services still ran after %g s and were killed", limit)
        self._end(root)

    async def astop(self, timeout: float | None = None) -> None:
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
        worker, make = self._spawn_request(entry, host, args, {} if name is None else {"name": name})
        value = self._request(worker, make)
        return str(value["holder"]) if isinstance(value, dict) else str(value)

    async def aspawn(self, entry: str, host: str, *args: LuaValue, name: str | None = None) -> str:
        """As `spawn`, without blocking the event loop."""
        worker, make = self._spawn_request(entry, host, args, {} if name is None else {"name": name})
        value = await self._arequest(worker, make)
        return str(value["holder"]) if isinstance(value, dict) else str(value)

    def exec(self, entry: str, host: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:
        """Start a process, wait until it ends, and return its result.

        Args:
            timeout: seconds to wait; then the process is terminated.

        Raises:
            ProcessError: as `spawn`, and what the process failed with.
            TimeoutError: it did not end in time.
        """
        worker, make = self._spawn_request(entry, host, args, {"exec": True})
        started: list[str] = []
        try:
            return self._request(worker, make, timeout, started.append)
        except TimeoutError:
            raise TimeoutError(f"{entry} did not end within {timeout} s; it was terminated") from None
        finally:
            self._end_of_exec(worker, started, finished=False)

    async def aexec(self, entry: str, host: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:
        """As `exec`, without blocking the event loop; a cancellation terminates the process."""
        worker, make = self._spawn_request(entry, host, args, {"exec": True})
        started: list[str] = []
        try:
            return await self._arequest(worker, make, timeout, started.append)
        except TimeoutError:
            raise TimeoutError(f"{entry} did not end within {timeout} s; it was terminated") from None
        finally:
            self._end_of_exec(worker, started, finished=False)

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
            ProcessError: NotFound.
        """
        pid, parsed = self._board.resolve(target)
        self._board.worker_of(parsed).post([Input.CANCEL, pid, None, reason, deadline])

    def terminate(self, target: str) -> None:
        """End a process at its next step; its code does not run again.

        Raises:
            ProcessError: NotFound.
        """
        pid, parsed = self._board.resolve(target)
        self._board.worker_of(parsed).post([Input.TERMINATE, pid])

    def lookup(self, name: str) -> str | None:
        """Return the PID that a name is registered for, or None."""
        return self._board.names.lookup(name)

    def mailbox(self) -> Mailbox:
        """Return a new mailbox of this program, with a PID of its own. Close it when it is not needed any more."""
        return Mailbox(self._board, self._request)

    # functions

    def call(self, function: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:
        """Call a `function.lua` entry and return its result.

        Args:
            timeout: seconds to wait; then the call is canceled.

        Raises:
            ProcessError: NotFound, Unavailable, or what the function failed with.
            TimeoutError: no result in time.
        """
        worker, make = self._call_request(function, args)
        refs: list[int] = []
        try:
            return self._request(worker, make, timeout, refs=refs)
        except TimeoutError:
            raise TimeoutError(f"{function} did not return within {timeout} s; the call was canceled") from None
        finally:
            self._end_of_call(worker, refs)

    async def acall(self, function: str, *args: LuaValue, timeout: float | None = None) -> LuaValue:
        """As `call`, without blocking the event loop; a cancellation cancels the call."""
        worker, make = self._call_request(function, args)
        refs: list[int] = []
        try:
            return await self._arequest(worker, make, timeout, refs=refs)
        except TimeoutError:
            raise TimeoutError(f"{function} did not return within {timeout} s; the call was canceled") from None
        finally:
            self._end_of_call(worker, refs)

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
        outcome: BatchOutcome = self._wait(lambda done: self._running().start_service(id, settled=done), timeout)
        if outcome.errors:
            raise ProcessError.of(outcome.errors[0])

    def stop_service(self, id: str, timeout: float | None = None) -> None:
        """Stop a service and all that depend on it, dependents first.

        Raises:
            ProcessError: NotFound, or a service did not stop in time and could not be killed.
            TimeoutError: it goes on after `timeout` seconds.
        """
        outcome: StopOutcome = self._wait(lambda done: self._running().stop_service(id, done), timeout)
        if outcome.error is not None:
            raise ProcessError.of(outcome.error)
        if outcome.failed:
            raise ProcessError("; ".join(f"{id}: {why}" for id, why in outcome.failed.items()))

    # inside

    def _make_door(self) -> Door:
        from actors.vm.door_functions import pure_functions

        names = self._board.names
        door = Door(pure_functions())
        door.add("entry", self._definitions.packed)
        door.add("claim", lambda name, pid: names.claim(name.decode(), pid.decode()).encode())
        door.add("release", lambda pid: names.release(pid.decode()) or b"")
        door.add("unregister", lambda name: b"1" if names.unregister(name.decode()) else b"")
        return door

    def _begin(self) -> Any:
        with self._lock:
            if self._status != "new":
                raise ProcessError(f"the runtime is {self._status}; make a new one", kind=INVALID)
            self._status = "starting"
        settled = self.clock.inbox(caller=True)
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
            references=lambda id: assembly.references(id),
        )
        self._root = root
        assembly = Assembly(
            self.registry,
            self._board,
            root,
            self._definitions,
            self._launch_host,
            tree=self._make_tree,
            max_memory=self._vm_memory,
            started=started,
        )
        self._functions = FunctionHost(self._launch_functions)
        self._watchdog = Watchdog(self._all_hosts, self._stuck_after)
        try:
            self.registry.attach(assembly)
        except BaseException:
            self._end(root)
            raise
        self._watchdog.start()
        self._status = "running"
        return settled

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
        self.registry.detach()
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

    def _child_changed(self, update: ServiceUpdate) -> None:
        if update.gone:
            self._tree_states.pop(update.state.id, None)
        else:
            self._tree_states[update.state.id] = update.state
        self._service_changed(update)

    def _running(self) -> RootSupervisor:
        if self._root is None or self._status not in ("running", "starting", "stopping"):
            raise ProcessError(f"the runtime is {self._status if self._status != 'new' else 'not started'}", kind=UNAVAILABLE)
        return self._root

    def _spawn_request(
        self, entry: str, host: str, args: tuple[LuaValue, ...], options: dict[str, Any]
    ) -> tuple[VMWorker, Callable[[int], list[Any]]]:
        self._running()
        packed = [check(value) for value in args]
        self._refuse_unavailable(host)
        worker = self._board.placing(host).place()
        if worker is None:
            raise ProcessError(f"host {host} has no worker", kind=UNAVAILABLE, retryable=True)
        options = options or {"plain": True}
        return worker, lambda ref: [Input.SPAWN, ref, entry, packed, len(packed), options]

    def _refuse_unavailable(self, host: str) -> None:
        if host in self.registry:
            entry = self.registry.get(host)
            info = CATALOG.get(entry.kind)
            if info is not None and not info.runs:
                raise unavailable(entry)
            if entry.kind != "process.host":
                raise ProcessError(f"{host} is a {entry.kind}, not a process host", kind=INVALID, retryable=False)

    def _call_request(
        self, function: str, args: tuple[LuaValue, ...]
    ) -> tuple[VMWorker, Callable[[int], list[Any]]]:
        self._running()
        if ":" not in function:
            raise ProcessError(f"namespace required in function ID '{function}'", kind=INVALID)
        packed = [check(value) for value in args]
        assert self._functions is not None
        worker = self._functions.place()
        return worker, lambda ref: [Input.CALL, ref, function, packed, len(packed)]

    def _send(self, target: str, topic: str, payload: tuple[LuaValue, ...], sender: str | None) -> None:
        if topic.startswith("@"):
            raise ProcessError(f"cannot send to @ topics: '{topic}'", kind=INVALID)
        packed = [check(value) for value in payload]
        pid, parsed = self._board.resolve(target)
        if parsed.vm == 0:
            if not self._board.deliver(pid, topic, sender, list(payload)):
                raise ProcessError(f"process not found: {target}", kind=NOT_FOUND, pid=pid)
            return
        self._board.worker_of(parsed).post([Input.SEND, pid, topic, sender, packed, len(packed)])

    def _end_of_exec(self, worker: VMWorker, started: list[str], *, finished: bool) -> None:
        # whoever stops waiting for an exec ends its process; one that has ended already does not mind
        if started and not finished:
            worker.post([Input.TERMINATE, started[0]])

    def _end_of_call(self, worker: VMWorker, refs: list[int]) -> None:
        if refs and self._board.forget(refs[0]):
            worker.post([Input.CANCEL_CALL, refs[0]])

    def _request(
        self,
        worker: VMWorker,
        make: Callable[[int], list[Any]],
        timeout: float | None = None,
        started: Callable[[str], None] | None = None,
        refs: list[int] | None = None,
    ) -> Any:
        """Ask a VM and wait for its answer."""
        box = self.clock.inbox(caller=True)
        deadline = None if timeout is None else self.clock.monotonic() + timeout
        try:
            ref = self._board.request(worker, make, lambda ok, value: box.put((ok, value)), started)
            if refs is not None:
                refs.append(ref)
            answers = box.take(deadline)
            if not answers:
                if refs is None:
                    self._board.forget(ref)
                raise TimeoutError(f"no answer within {timeout} s")
        finally:
            box.close()
        return _answer(*answers[0])

    async def _arequest(
        self,
        worker: VMWorker,
        make: Callable[[int], list[Any]],
        timeout: float | None = None,
        started: Callable[[str], None] | None = None,
        refs: list[int] | None = None,
    ) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[bool, Any]] = loop.create_future()

        def answered(ok: bool, value: Any) -> None:
            loop.call_soon_threadsafe(lambda: future.done() or future.set_result((ok, value)))

        ref = self._board.request(worker, make, answered, started)
        if refs is not None:
            refs.append(ref)
        async with asyncio.timeout(timeout):
            ok, value = await future
        return _answer(ok, value)

    def _wait(self, begin: Callable[[Callable[[Any], None]], object], timeout: float | None) -> Any:
        from actors.actor import wait_for

        return wait_for(self.clock, begin, timeout)


def _answer(ok: bool, value: Any) -> Any:
    if ok:
        return value
    failure = value if isinstance(value, Failure) else Failure(str(value))
    raise ProcessError.of(failure)


