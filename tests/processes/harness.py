"""Several VMs of one runtime without threads: stepped in turn, in virtual time, connected by the real switchboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from actors.clock import Clock
from actors.errors import NOT_FOUND, Failure, ProcessError
from actors.hosts.endpoint import Endpoint, EndpointEvent
from actors.hosts.records import DeadLetter, ProcessEnded
from actors.hosts.switchboard import Switchboard
from actors.hosts.worker import VMWorker
from actors.vm.door import Door
from actors.vm.door_functions import pure_functions
from actors.vm.frontend import FrontEnd
from actors.vm.luavm import LuaVM, VMSettings
from actors.vm.memory import VMMemory
from actors.vm.wire import Input, Output, check, pack

HERE: Final = "app:here"
"""The host of the first VM."""
THERE: Final = "app:there"
"""The host of the second VM."""
START: Final = 1_700_000_000.0
"""Unix seconds at which a world begins; its monotonic clock begins at 1000."""

_FRONT_END: Final = FrontEnd()
_MODULES: Final = ("time", "logger", "json")
_TURNS: Final = 20_000


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return START + self.now - 1000.0


class Node:
    """A VM in the place of a worker: what is posted waits for its next step."""

    def __init__(self, world: World, host: str, workers: int) -> None:
        self.host_id = host
        self.vm = 0
        self.memory = VMMemory()
        self.waiting: list[Any] = []
        self.deadline: float | None = None
        self.busy = False
        world.board.join(cast(VMWorker, self), self.memory)
        self.lua = LuaVM(
            VMSettings(
                vm=self.vm,
                host=host,
                mark=world.board.mark,
                node=world.board.node,
                address=self.memory.generations,
                header=self.memory.header,
                workers=workers,
                **{"seed1": 1, "seed2": 2, **world.options},
            ),
            world.door.call,
        )

    def post(self, record: list[Any]) -> None:
        self.waiting.append(record)


class _Host:
    """What the switchboard asks for the VM of a new process; the VMs are made when they are first needed."""

    def __init__(self, world: World, id: str, count: int) -> None:
        self.id = id
        self.count = count
        self.world = world
        self.nodes: list[Node] = []

    def resize(self, workers: int) -> None:
        """Take no notice: worlds keep their VMs."""

    def place(self, tried: tuple[int, ...] = (), *, by_load: bool = False) -> VMWorker | None:
        if not self.nodes:
            self.nodes = [Node(self.world, self.id, self.count) for _ in range(self.count)]
            self.world.nodes += self.nodes
        free = [node for node in self.nodes if node.vm not in tried]
        best = min(free, key=lambda node: node.memory.counters().processes, default=None)
        return cast("VMWorker | None", best)


class Box:
    """A mailbox of Python's: what it was sent, as (topic, sender, payloads), and the events it got."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.messages: list[tuple[str, str | None, list[Any]]] = []
        self.events: list[EndpointEvent] = []
        self.endpoint = Endpoint(
            world.board,
            "node:python",
            lambda topic, sender, payloads: self.messages.append((topic, sender, payloads)),
            self.events.append,
        )
        self.pid = self.endpoint.pid

    def monitor(self, pid: str) -> None:
        self.endpoint.watch(pid)
        node = self.world.node_of(pid)
        self.world.ask(node, lambda ref: [Input.MONITOR, ref, self.pid, pid])


class World:
    """The VMs, their scripts and their clock.

    Args:
        hosts: host id -> how many VMs.
        node: the node name that PIDs show.
        options: settings of every VM, such as ``slice``, ``limit``, ``mailbox_limit``.
    """

    def __init__(self, hosts: Mapping[str, int] | None = None, node: str = "", **options: Any) -> None:
        self.clock = _Clock()
        self.ended: list[ProcessEnded] = []
        self.logs: list[tuple[str, str, str, dict[str, Any]]] = []
        self.board = Switchboard(cast(Clock, self.clock), node, self.ended.append)
        self.entries: dict[str, bytes] = {}
        self.door = Door(pure_functions())
        names = self.board.names
        self.door.add("entry", self._entry)
        self.door.add("claim", lambda name, pid: names.claim(name.decode(), pid.decode()).encode())
        self.door.add("release", self._release)
        self.door.add("unregister", lambda name: b"1" if names.unregister(name.decode()) else b"")
        self.options = options
        self.nodes: list[Node] = []
        self.hosts: dict[str, _Host] = {}
        for host, count in (hosts or {HERE: 1, THERE: 1}).items():
            self.hosts[host] = _Host(self, host, count)
            self.board.set_host(self.hosts[host], "running", count)

    # scripts

    def script(
        self,
        id: str,
        text: str,
        *,
        kind: str = "process.lua",
        method: str = "main",
        modules: tuple[str, ...] = _MODULES,
        imports: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        """Define an entry by its whole source; VMs that know another definition forget it."""
        fields = {
            "id": id,
            "kind": kind,
            "number": self.board.entry_number(id),
            "method": method,
            "modules": list(modules),
            "imports": dict(imports or {}),
            "name": id,
            **options,
        }
        packed = check(fields)
        packed["text"] = _FRONT_END.translate(text, id)
        known = id in self.entries
        self.entries[id] = pack(packed)
        if known:
            self.board.tell_all([Input.INVALIDATE, [id]])

    def process(self, name: str, body: str, **options: Any) -> str:
        """Define the entry ``app:name``, whose main function has `body`; returns its id."""
        id = f"app:{name}"
        self.script(id, f"local function main(...) {body}\nend return {{main = main}}", **options)
        return id

    def _release(self, pid: bytes) -> bytes:
        self.board.names.release(pid.decode())
        return b""

    def _entry(self, id: bytes) -> bytes:
        found = self.entries.get(id.decode())
        if found is None:
            raise ProcessError(f"no such entry: {id.decode()}", kind=NOT_FOUND, retryable=False)
        return found

    # what Python does

    def spawn(self, entry: str, *args: Any, host: str = HERE, **options: Any) -> str:
        """Start a process and return its PID; it has not run yet unless something else made the VM run."""
        node = cast(Node, self.hosts[host].place())
        packed = [check(value) for value in args]
        value = self.ask(node, lambda ref: [Input.SPAWN, ref, entry, packed, len(packed), options or {"plain": True}])
        return str(value["holder"]) if isinstance(value, dict) else str(value)

    def exec(self, entry: str, *args: Any, host: str = HERE) -> Any:
        """Run a process to its end, letting time pass as it wants, and return its result.

        Raises:
            ProcessError: what it failed with.
        """
        node = cast(Node, self.hosts[host].place())
        packed = [check(value) for value in args]
        options = {"exec": True}
        return self.ask(node, lambda ref: [Input.SPAWN, ref, entry, packed, len(packed), options], wait=True)

    def main(self, body: str, *args: Any, host: str = HERE, **options: Any) -> Any:
        """Run `body` as the main function of a process of its own and return its result; as `exec`."""
        return self.exec(self.process("main", body, **options), *args, host=host)

    def send(self, target: str, topic: str, *payload: Any, sender: str | None = None) -> None:
        pid, parsed = self.board.resolve(target)
        packed = [check(value) for value in payload]
        self.board.worker_of(parsed).post([Input.SEND, pid, topic, sender, packed, len(packed)])

    def terminate(self, pid: str) -> None:
        self.node_of(pid).post([Input.TERMINATE, pid])

    def cancel(self, pid: str, reason: str | None = None, deadline: float | None = None) -> None:
        self.node_of(pid).post([Input.CANCEL, pid, None, reason, deadline])

    def box(self) -> Box:
        return Box(self)

    def alive(self, pid: str) -> bool:
        try:
            self.board.resolve(pid)
        except ProcessError:
            return False
        return True

    def node_of(self, pid: str) -> Node:
        return cast(Node, self.board.worker_of(self.board.resolve(pid)[1]))

    def lose(self, node: Node) -> None:
        """Let a VM be lost, as the host does it."""
        self.nodes.remove(node)
        self.hosts[node.host_id].nodes.remove(node)
        self.board.lose(node.vm, "worker lost")

    def dead_letters(self) -> list[DeadLetter]:
        return list(self.board.dead_letters)

    def ask(self, node: Node, make: Callable[[int], list[Any]], wait: bool = False) -> Any:
        """Post a request and run until it is answered; with `wait` time passes too."""
        answers: list[tuple[bool, Any]] = []
        self.board.request(cast(VMWorker, node), make, lambda ok, value: answers.append((ok, value)))
        while not answers:
            if not self._turn() and not (wait and self._next_deadline()):
                raise AssertionError("the world is at rest without an answer")
        ok, value = answers[0]
        if ok:
            return value
        assert isinstance(value, Failure)
        raise ProcessError.of(value)

    # time

    def run(self) -> None:
        """Run until nothing is left to do at this moment."""
        for _ in range(_TURNS):
            if not self._turn():
                return
        raise AssertionError("the world does not come to rest")

    def advance(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        self.run()
        end = self.clock.now + seconds
        while (due := self._due()) is not None and due <= end:
            self.clock.now = max(self.clock.now, due)
            self.run()
        self.clock.now = end
        self.run()

    def settle(self) -> None:
        """Run until nothing is left to do, letting time pass as timers want it."""
        self.run()
        while self._next_deadline():
            self.run()

    def _due(self) -> float | None:
        return min((node.deadline for node in self.nodes if node.deadline is not None), default=None)

    def _next_deadline(self) -> bool:
        due = self._due()
        if due is None:
            return False
        self.clock.now = max(self.clock.now, due)
        return True

    def _turn(self) -> bool:
        """Give each VM that has something to do one step; tell whether one had."""
        ran = False
        for node in list(self.nodes):
            due = node.deadline is not None and node.deadline <= self.clock.now
            if not (node.waiting or node.busy or due):
                continue
            ran = True
            records, node.waiting = node.waiting, []
            outputs, node.deadline, node.busy = node.lua.step(records, self.clock.now, self.clock.time(), 300_000)
            if node.busy:
                self.clock.now += 0.001  # computing takes time
            for record in outputs:
                if record[0] == Output.LOG:
                    self.logs.append((record[1], record[2], record[3], record[4] or {}))
            self.board.route(cast(VMWorker, node), outputs)
        return ran

    def warnings(self) -> list[str]:
        return [message for level, _, message, _ in self.logs if level == "warn"]

    def printed(self) -> list[str]:
        """What processes printed, in order."""
        return [message for _, name, message, _ in self.logs if name == "print"]
