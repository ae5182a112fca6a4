"""What a runtime is made of: the switchboard, the tree of actors, the door of the VMs, the watchdog."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from random import Random

from actors.applier import Applier
from actors.assembly import Assembly, BatchDone
from actors.bridges import Reporter
from actors.clock import Clock
from actors.definitions import Definitions
from actors.errors import UNAVAILABLE, ProcessError
from actors.events import EventBus
from actors.functions import FUNCTION_HOST, FunctionHost, Permits, PythonFunctions
from actors.groups import Groups, ScopeDriver
from actors.hosts import HostInfo, HostSettings, ProcessHost, ProcessInfo, Switchboard, VMWorker, Watchdog
from actors.introspection import system_function
from actors.reading import reading
from actors.security import Guard
from actors.stores import StoreDriver, Stores
from actors.supervision import BatchOutcome, RootSupervisor, ServiceState, ServiceUpdate, TreeService, TreeSpec
from actors.terminal import Ending, Terminal
from actors.vm.door import Door
from actors.watching import ServiceChanged, Watchers
from registry import Registry, RegistryError

log = logging.getLogger(__name__)


class Machinery:
    """Builds the tree of a registry's app and takes it down; each once. `Runtime` is the way in from outside.

    `set_up` and `take_down` are called by one thread at a time, everything else from any thread.

    Args:
        rng: where all other seeds come from. node: the node name that PIDs show.
        max_memory: bytes of Lua memory that each VM may take. stuck_after: see `Watchdog`.
        terminal, ending: of the process on a terminal host. strict_security: see `actors.security.Guard`.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        clock: Clock,
        rng: Random,
        node: str,
        max_memory: int,
        stuck_after: float,
        terminal: Terminal,
        ending: Ending,
        strict_security: bool = False,
    ) -> None:
        self.registry = registry
        self.clock = clock
        self.watchers = Watchers()
        self.board = Switchboard(clock, node, self.watchers.tell)
        self.bus = EventBus(self.board)
        self.root: RootSupervisor | None = None
        self._random = rng
        self._max_memory = max_memory
        self._stuck_after = stuck_after
        self._reporter = Reporter(self.bus, registry)
        self._groups = Groups(self.board)
        self._stores = Stores(clock)
        self._applier = Applier(self.board, registry, clock)
        self._definitions = Definitions(registry, self.board.entry_number)
        self._permits = Permits(self.board.tell)
        self.board.on_departure(self._permits.lose)
        self._python = PythonFunctions(self.board)
        self._guard = Guard(registry, strict=strict_security)
        self._door = self._make_door()
        self._terminal = terminal
        self.board.terminal = terminal
        self.board.on_exit = ending.request
        self._lock = threading.Lock()  # guards the tables of hosts
        self._hosts: dict[str, ProcessHost] = {}
        self._launched: list[ProcessHost] = []
        self._tree_states: dict[str, ServiceState] = {}
        self._functions: FunctionHost | None = None
        self._watchdog: Watchdog | None = None

    def set_up(self, settled: Callable[[BatchOutcome], object]) -> None:
        """Start the tree of the registry; `settled` is called when every auto_start service is decided.

        Raises:
            registry.FaultsError: nothing runs.
        """
        first = deque([settled])

        def started(then: BatchDone) -> BatchDone:
            tell = first.popleft() if first else None

            def done(outcome: BatchOutcome) -> None:
                then(outcome)
                if tell is not None:
                    tell(outcome)

            return done

        # every actor is known before its thread starts, so that Ctrl-C at any moment leaves nothing behind
        root = RootSupervisor(
            clock=self.clock,
            rng=Random(self._random.getrandbits(64)),
            sink=self._service_changed,
            references=self._references,
        )
        self.root = root
        root._start_actor_loop()
        self._reporter.begin(root)
        assembly = Assembly(
            self.registry,
            self.board,
            root,
            self._definitions,
            self._python,
            self._launch_host,
            tree=self._make_tree,
            max_memory=self._max_memory,
            started=started,
            args=self._terminal.args,
            identity=self._guard.identity,
            resources={
                "pg.scope": lambda id, model: ScopeDriver(
                    self._groups, id, model.max_groups, model.max_members_per_group
                ),
                "store.memory": lambda id, model: StoreDriver(self._stores, id, model.max_size, model.cleanup_interval),
            },
        )
        self._functions = FunctionHost(self._launch_functions)
        self._watchdog = Watchdog(self.hosts, self._stuck_after)
        self.registry.attach(assembly)
        self._watchdog.start()

    def _references(self, id: str) -> Iterable[str]:
        try:
            return self.registry.dependencies(id)
        except RegistryError:
            return ()

    def take_down(self) -> None:
        """End every thread; what still lives ends with it."""
        if self._watchdog is not None:
            self._watchdog.stop()
        self._applier.close()
        if self._functions is not None:
            self._functions.stop()
        if self.root is not None:
            self.root.stop()
            self.root.join(10.0)
        for host in self._launched:
            host.stop()
            host.join(5.0)
            host.join_workers(5.0)
        self._python.stop()
        self._terminal.close()
        self.registry.detach()
        self._reporter.end()

    def place_call(self) -> VMWorker:
        """Return the worker for a function call.

        Raises:
            ProcessError: Unavailable.
        """
        if self._functions is None:
            raise ProcessError("the runtime is not started", kind=UNAVAILABLE)
        return self._functions.place()

    def services(self) -> list[ServiceState]:
        """Return the state of every service, the children of supervisors included, by id."""
        states = {state.id: state for state in (self.root.states() if self.root is not None else ())}
        for id, state in self._tree_states.copy().items():
            states.setdefault(id, state)
        return [states[id] for id in sorted(states)]

    def infos(self) -> list[HostInfo]:
        """Return state and counters of every process host that was started, by id."""
        with self._lock:
            infos = {host.id: host.info() for host in self._hosts.values()}
        return [infos[id] for id in sorted(infos)]

    def _launch_host(self, id: str, settings: HostSettings, functions: bool = False) -> ProcessHost:
        host = ProcessHost(
            id,
            settings,
            self.board,
            self._door.call,
            clock=self.clock,
            rng=Random(self._random.getrandbits(64)),
        )
        with self._lock:
            self._launched = [known for known in self._launched if known._alive()]
            self._launched.append(host)
            if not functions:
                self._hosts[id] = host
        host._start_actor_loop()
        return host

    def _launch_functions(self) -> ProcessHost:
        return self._launch_host(FUNCTION_HOST, HostSettings(max_memory=self._max_memory), functions=True)

    def hosts(self) -> list[ProcessHost]:
        """Return the hosts that run, that of function calls included."""
        with self._lock:
            return [host for host in self._launched if host.status != "stopped"]

    def processes(self) -> list[ProcessInfo]:
        """Return all living processes, function calls included."""
        return [info for host in self.hosts() for info in host.processes()]

    def _make_tree(self, spec: TreeSpec) -> TreeService:
        return TreeService(spec, clock=self.clock, rng=Random(self._random.getrandbits(64)), sink=self._child_changed)

    def _service_changed(self, update: ServiceUpdate) -> None:
        self.watchers.tell(ServiceChanged(update.state, update.retry_in, update.failure))
        self._reporter.service_changed(update)

    def _child_changed(self, update: ServiceUpdate) -> None:
        if update.gone:
            self._tree_states.pop(update.state.id, None)
        else:
            self._tree_states[update.state.id] = update.state
        self._service_changed(update)

    def _make_door(self) -> Door:
        from actors.vm.door_functions import pure_functions

        names = self.board.names

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
        self._permits.add_to(door)
        door.add("known", lambda id: b"1" if text(id) in self.registry else b"")
        door.add("claim", claim)
        door.add("release", release)
        door.add("unregister", unregister)
        door.add("pg", self._groups.call)
        door.add("store", self._stores.call)
        for name, function in reading(self.registry).items():
            door.add(name, function)
        for name, function in self._guard.functions().items():
            door.add(name, function)
        door.add("system", system_function(self.services, self.infos, self.processes))
        return door
