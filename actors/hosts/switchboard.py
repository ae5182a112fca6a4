"""The switchboard: connects the VMs of a runtime with each other, with the name registry and with Python."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Protocol

from actors.clock import Clock
from actors.errors import INTERNAL, INVALID, LIMIT_EXCEEDED, NOT_FOUND, UNAVAILABLE, Failure, ProcessError
from actors.hosts.names import Names
from actors.hosts.pid import Pid
from actors.hosts.records import DeadLetter, ProcessEnded
from actors.vm.memory import VMMemory
from actors.vm.wire import Input, Output, check

if TYPE_CHECKING:
    from actors.hosts.endpoint import Endpoint
    from actors.hosts.worker import VMWorker

log = logging.getLogger(__name__)
lua_log = logging.getLogger("tutela.lua")

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_KEPT_DEAD_LETTERS: Final = 1000

Answered = Callable[[bool, Any], None]
"""Called with (True, value) or (False, Failure or a text of the kernel), on the thread of a VM; returns at once."""


Service = Callable[["VMWorker", int | None, str, Any], None]
"""Serves what kernels ask of Python: called with the worker, the number of the request (None when nobody waits for an
answer), the PID of the asking process and the arguments, on the thread of the worker; must return at once."""


class Placing(Protocol):
    """What the switchboard needs of a host."""

    id: str

    def place(self, tried: tuple[int, ...] = (), *, by_load: bool = False) -> VMWorker | None:
        """Return the worker for a new process, or None when all were tried."""

    def resize(self, workers: int) -> None:
        """Change the number of workers."""


class TerminalPort(Protocol):
    """What the switchboard needs of the terminal."""

    def handle(self, worker: VMWorker, record: list[Any]) -> None:
        """Carry out a record of the process that runs on it."""

    def lost(self, vm: int, message: str) -> None:
        """Hear that a VM was given up."""


class _Pending:
    __slots__ = ("answered", "started", "vm")

    def __init__(self, vm: int, answered: Answered, started: Callable[[str], None] | None) -> None:
        self.vm = vm
        self.answered = answered
        self.started = started


class Switchboard:
    """Routes what VMs send, unopened where another VM is meant. Safe from any thread; nothing in it waits.

    Args:
        clock: where time comes from.
        node: the node name that PIDs show; empty for none.
        ended: hears of every abnormal end of a process, on the thread of its VM's worker.
    """

    def __init__(self, clock: Clock, node: str = "", ended: Callable[[ProcessEnded], None] | None = None) -> None:
        self.clock = clock
        self.node = node
        # seconds and a part of them: no run of this machine has the same
        self.mark = f"{int(time.time()) & 0xFFFFFFFF:08x}{time.time_ns() // 4_000_000 % 256:02x}"
        self.names = Names(self._name_changed)
        self.python = VMMemory()
        self.dead_letters: deque[DeadLetter] = deque(maxlen=_KEPT_DEAD_LETTERS)
        self.dead_letter_count = 0
        self._ended = ended or (lambda event: None)
        self._lock = threading.Lock()  # guards the tables of workers, hosts and endpoints while they change
        self._workers: dict[int, VMWorker] = {}
        self._memories: dict[int, VMMemory] = {0: self.python}
        self._vm_hosts: dict[int, str] = {}
        self._vm_numbers = count(1)
        self._hosts: dict[str, tuple[str, int]] = {}
        self._placing: dict[str, Placing] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._slots = count(0)
        self._refs = count(1)
        self._pending: dict[int, _Pending] = {}
        self._entries: list[str] = [""]
        self._entry_numbers: dict[str, int] = {}
        self.terminal: TerminalPort | None = None
        self.on_exit: Callable[[int], None] = lambda code: None
        self._services: dict[str, Service] = {}
        self._departures: list[Callable[[int], None]] = []
        self.warm: frozenset[str] = frozenset()  # functions with pool.warm_start
        self.functions: set[str] = set()  # entries whose calls have PIDs that name the function, not the host

    def serve(self, name: str, service: Service) -> None:
        """Have what kernels ask under `name` served; before VMs start."""
        self._services[name] = service

    def on_departure(self, callback: Callable[[int], None]) -> None:
        """Call `callback` with the number of every VM that is gone; before VMs start."""
        self._departures.append(callback)

    def answer(self, worker: VMWorker, ref: int | None, ok: bool, value: Any) -> None:
        """Answer a request of a kernel: with a value, or a `Failure`. From any thread."""
        if ref is None:
            return
        try:
            checked = check(value)
        except ProcessError as error:
            ok, checked = False, check(error.failure())
        worker.post([Input.ANSWER, ref, ok, checked])

    def join(self, worker: VMWorker, memory: VMMemory) -> int:
        """Enter a new VM: all others learn of it, and it of them. Returns its number."""
        with self._lock:
            vm = next(self._vm_numbers)
            self._memories[vm] = memory
            self._vm_hosts[vm] = worker.host_id
            others = list(self._workers.values())
            worker.vm = vm
            for known, published in self._memories.items():
                if known != vm and not published.lost:
                    worker.post([Input.VM, known, published.generations, self._vm_hosts.get(known, "")])
            for id, (state, workers) in self._hosts.items():
                worker.post([Input.HOST, id, state, workers])
            if self.warm:
                worker.post([Input.WARM, sorted(self.warm)])

            def tell(bindings: list[tuple[str, str]]) -> None:
                for name, pid in bindings:
                    worker.post([Input.NAME, name, pid])
                self._workers[vm] = worker

            self.names.snapshot(tell)
            for other in others:
                other.post([Input.VM, vm, memory.generations, worker.host_id])
        return vm

    def leave(self, vm: int) -> None:
        """Forget a VM that ended in order: none of its processes lives."""
        with self._lock:
            self._workers.pop(vm, None)
            memory = self._memories.get(vm)
            if memory is not None:
                memory.lose()
        for departed in self._departures:
            departed(vm)

    def lose(self, vm: int, message: str) -> None:
        """Give up a VM: its processes ended with an error for everybody who watches them."""
        self.leave(vm)
        for worker in self.workers():
            worker.post([Input.VM_LOST, vm, message])
        failure = Failure(message, INTERNAL)

        def gone(pid: str) -> bool:
            parsed = Pid.parse(pid)
            return parsed is not None and parsed.vm == vm

        self.names.release_if(gone)
        for endpoint in list(self._endpoints.values()):
            endpoint.lost(gone, failure)
        self.drop_pending(vm, failure)
        if self.terminal is not None:
            self.terminal.lost(vm, message)

    def gone(self, vm: int, message: str) -> None:
        """Hear that the thread of a VM has ended: what was asked of it is not answered any more."""
        self.drop_pending(vm, Failure(message, UNAVAILABLE, True))
        for worker in self.workers():
            worker.post([Input.VM_LOST, vm, message])

    def drop_pending(self, vm: int, failure: Failure) -> None:
        """Answer what a VM will not answer any more."""
        for ref, pending in list(self._pending.items()):
            if pending.vm == vm and self._pending.pop(ref, None) is not None:
                try:
                    pending.answered(False, failure)
                except Exception:
                    log.exception("a request's answer could not be handed out")

    def workers(self) -> list[VMWorker]:
        """Return the workers of all VMs."""
        return list(self._workers.values())

    def tell(self, vm: int, record: list[Any]) -> None:
        """Give a record to a VM; nothing happens when it is gone."""
        worker = self._workers.get(vm)
        if worker is not None:
            worker.post(record)

    def tell_all(self, record: list[Any]) -> None:
        """Give a record to every VM."""
        for worker in self.workers():
            worker.post(record)

    def set_host(self, host: Placing | str, state: str | None, workers: int = 1) -> None:
        """Tell every VM the state of a host: running, stopping, stopped, other (not a process host), None: removed."""
        id = host if isinstance(host, str) else host.id
        with self._lock:
            if state is None:
                self._hosts.pop(id, None)
                self._placing.pop(id, None)
            else:
                self._hosts[id] = (state, workers)
                if not isinstance(host, str):
                    self._placing[id] = host
            self.tell_all([Input.HOST, id, state, workers])

    def resize(self, id: str, workers: int) -> None:
        """Change the number of workers of a host, if it runs."""
        host = self._placing.get(id)
        if host is not None:
            host.resize(workers)

    def host_state(self, id: str) -> str | None:
        """Return the state of a host as `set_host` was told."""
        known = self._hosts.get(id)
        return known[0] if known else None

    def placing(self, id: str) -> Placing:
        """Return the host on which a process may be spawned now.

        Raises:
            ProcessError: NotFound, Invalid (not a process host) or Unavailable (not running).
        """
        state = self.host_state(id)
        if state is None:
            raise ProcessError(f"host not found: {id}", kind=NOT_FOUND, retryable=False)
        if state == "other":
            raise ProcessError(f"{id} is not a process host", kind="Invalid", retryable=False)
        if state != "running":
            shown = "stopping" if state == "stopping" else "not running"
            raise ProcessError(f"host {id} is {shown}", kind=UNAVAILABLE, retryable=True)
        return self._placing[id]

    def entry_number(self, id: str) -> int:
        """Return the number under which VMs publish an entry."""
        with self._lock:
            number = self._entry_numbers.get(id)
            if number is None:
                number = len(self._entries)
                self._entries.append(id)
                self._entry_numbers[id] = number
            return number

    def entry_id(self, number: int) -> str:
        """Return the entry that a VM published under a number."""
        return self._entries[number]

    def request(
        self,
        worker: VMWorker,
        make: Callable[[int], list[Any]],
        answered: Answered,
        started: Callable[[str], None] | None = None,
    ) -> int:
        """Ask a VM something: `make` gets the number of the request and returns the record.

        `answered` is called once. `started` hears of the PID when an exec has begun.
        """
        ref = next(self._refs)
        pending = _Pending(worker.vm, answered, started)
        self._pending[ref] = pending
        worker.post(make(ref))
        if worker.vm not in self._workers and self._pending.pop(ref, None) is not None:
            answered(False, Failure("worker lost", INTERNAL))
        return ref

    def ask_now(
        self, worker: VMWorker, make: Callable[[int], list[Any]], answered: Answered
    ) -> tuple[int, tuple[bool, Any] | None]:
        """Ask a VM by stepping it on this thread.

        Returns:
            The number of the request, and its answer if it came at once; else `answered` is called when it comes. The
            number is 0 when the VM is not free, and then nothing was asked.
        """
        ref = next(self._refs)
        asked = False

        def unanswered() -> None:
            nonlocal asked
            asked = True
            self._pending[ref] = _Pending(worker.vm, answered, None)

        answer = worker.lend(ref, make(ref), unanswered)
        return (ref if asked or answer is not None else 0), answer

    def forget(self, ref: int) -> bool:
        """Drop a request whose answer nobody wants any more; False when it was answered."""
        return self._pending.pop(ref, None) is not None

    def resolve(self, target: str) -> tuple[str, Pid]:
        """Find the living process that a PID text or a name means.

        Raises:
            ProcessError: NotFound.
        """
        pid = Pid.parse(target)
        text = target
        if pid is None:
            bound = self.names.lookup(target)
            if bound is None:
                raise ProcessError(f"could not resolve '{target}'", kind=NOT_FOUND)
            text = bound
            pid = Pid.parse(bound)
        memory = self._memories.get(pid.vm) if pid is not None and pid.mark == self.mark else None
        if pid is None or memory is None or not memory.alive(pid.slot, pid.generation):
            raise ProcessError(f"process not found: {target}", kind=NOT_FOUND, pid=text)
        if (pid.node or "") != self.node:
            text = Pid.text(self.node, pid.host, self.mark, pid.vm, pid.slot, pid.generation)
        return text, pid

    def worker_of(self, pid: Pid, done: str = "reached") -> VMWorker:
        """Return the worker whose VM holds a process; `done` is what is to be done with it, for the message.

        Raises:
            ProcessError: Invalid for what is Python's own, NotFound when the VM is gone.
        """
        if pid.vm == 0:
            raise ProcessError(f"a mailbox of the Python program cannot be {done}", kind=INVALID)
        worker = self._workers.get(pid.vm)
        if worker is None:
            raise ProcessError("process not found", kind=NOT_FOUND)
        return worker

    def enter(self, endpoint: Endpoint, host: str) -> str:
        """Give a PID to something of Python's that receives; `host` is node:python or node:control."""
        slot = next(self._slots)
        self.python.publish(slot, 0)
        pid = Pid.text(self.node, host, self.mark, 0, slot, 0)
        self._endpoints[pid] = endpoint
        return pid

    def remove(self, pid: str) -> None:
        """End the PID of something of Python's."""
        self._endpoints.pop(pid, None)
        parsed = Pid.parse(pid)
        if parsed is not None:
            self.python.publish(parsed.slot, None)
        self.names.release(pid)

    def deliver(self, pid: str, topic: str, sender: str | None, payloads: list[Any]) -> bool:
        """Give a message to a mailbox of Python's; False when it is gone."""
        endpoint = self._endpoints.get(pid)
        if endpoint is None:
            return False
        endpoint.deliver(topic, sender, payloads)
        return True

    def route(self, worker: VMWorker, outputs: list[list[Any]]) -> None:
        """Carry out what one step of a VM produced, in order; on the thread of its worker."""
        for record in outputs:
            try:
                self._handlers[record[0]](self, worker, record)
            except Exception:  # of a callback; the VM and what else left it are not to suffer
                log.exception("cannot carry out output %s of VM %d", record[0], worker.vm)

    def add_dead_letter(self, to: str, topic: str, sender: str | None, reason: str) -> None:
        """Keep a message that nobody will get."""
        self.dead_letter_count += 1
        self.dead_letters.append(DeadLetter(to, topic, sender, reason, self.clock.time()))
        log.debug("dead letter: '%s' for %s: %s", topic, to, reason, extra={"pid": to, "sender": sender})

    def _name_changed(self, name: str, pid: str | None) -> None:
        self.tell_all([Input.NAME, name, pid])

    def _on_blob(self, worker: VMWorker, record: list[Any]) -> None:
        target = self._workers.get(record[1])
        if target is not None:
            target.post([Input.BLOB, record[2]])

    def _on_reply(self, worker: VMWorker, record: list[Any]) -> None:
        ref, ok = record[1], record[2]
        if ok is None:
            pending = self._pending.get(ref)
            if pending is not None and pending.started is not None:
                pending.started(record[4])
            return
        pending = self._pending.pop(ref, None)
        if pending is not None:
            pending.answered(ok, record[3])

    def _on_mail(self, worker: VMWorker, record: list[Any]) -> None:
        _, to, topic, sender, payloads = record
        if not self.deliver(to, topic, sender, payloads):
            self.add_dead_letter(to, topic, sender, "ended before the message arrived")

    def _on_event(self, worker: VMWorker, record: list[Any]) -> None:
        endpoint = self._endpoints.get(record[1])
        if endpoint is not None:
            endpoint.event(*record[2:])

    def _on_death(self, worker: VMWorker, record: list[Any]) -> None:
        _, pid, entry, failure = record
        self.died(pid, entry, worker.host_id, failure)

    def died(self, pid: str, entry: str, host: str, failure: Failure) -> None:
        """Record an abnormal end: in the log, and for those who watch the runtime."""
        where = f"\n{failure.stack}" if failure.stack else ""
        extra = {
            "pid": pid,
            "entry": entry,
            "host": host,
            "reason": failure.message,
            "kind": failure.kind,
            "stack": failure.stack,
        }
        log.error("process %s (%s) failed: %s%s", pid, entry, failure.message, where, extra=extra)
        self._ended(ProcessEnded(pid, entry, host, failure, self.clock.time()))

    def _on_log(self, worker: VMWorker, record: list[Any]) -> None:
        _, level, name, message, fields = record
        number = _LEVELS.get(level, logging.INFO)
        target = lua_log.getChild(name) if name else lua_log
        if target.isEnabledFor(number):
            own = dict(fields or {})
            extra = {key: own.pop(key) for key in ("pid", "entry", "location") if key in own}
            # the script's own fields stand in the text too: most formats do not show what they do not know
            rest = " ".join(f"{key}={value}" for key, value in own.items())
            target.log(number, "%s%s", message, f" [{rest}]" if rest else "", extra={**extra, "fields": own or None})

    def _on_terminal(self, worker: VMWorker, record: list[Any]) -> None:
        if self.terminal is not None:
            self.terminal.handle(worker, record)

    def _on_exit(self, worker: VMWorker, record: list[Any]) -> None:
        self.on_exit(record[1])

    def _on_dead_letter(self, worker: VMWorker, record: list[Any]) -> None:
        self.add_dead_letter(*record[1:])

    def _on_place(self, worker: VMWorker, record: list[Any]) -> None:
        _, host, origin, ref, blob, tried, by_load = record
        failure: Failure
        try:
            target = self.placing(host).place(tuple(tried), by_load=by_load)
        except ProcessError as error:
            failure = error.failure()
        else:
            asking = self._workers.get(origin)
            if target is not None:
                if asking is not None:
                    asking.post([Input.PLACED, ref, target.vm])
                target.post([Input.BLOB, blob])
                if target.vm in self._workers:  # else its loss may have been told before
                    return
                failure = Failure("worker lost", INTERNAL)
            elif tried:
                failure = Failure(f"host {host} runs as many processes as it may (max_processes)", LIMIT_EXCEEDED)
            else:
                failure = Failure(f"host {host} has no worker at the moment", UNAVAILABLE, True)
        asking = self._workers.get(origin)
        if asking is not None:
            self.answer(asking, ref, False, failure)

    def _on_ask(self, worker: VMWorker, record: list[Any]) -> None:
        _, name, ref, pid, arguments = record
        service = self._services.get(name)
        if service is None:
            self.answer(worker, ref, False, Failure(f"this runtime has no {name}", UNAVAILABLE, False))
        else:
            service(worker, ref, pid, arguments)

    _handlers: Final[dict[int, Callable[[Switchboard, VMWorker, list[Any]], None]]] = {
        Output.BLOB: _on_blob,
        Output.REPLY: _on_reply,
        Output.MAIL: _on_mail,
        Output.EVENT: _on_event,
        Output.DEATH: _on_death,
        Output.LOG: _on_log,
        Output.DEAD_LETTER: _on_dead_letter,
        Output.PLACE: _on_place,
        Output.TERMINAL: _on_terminal,
        Output.EXIT: _on_exit,
        Output.ASK: _on_ask,
    }
