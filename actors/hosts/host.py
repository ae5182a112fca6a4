"""A process host: a supervisor actor that owns VM workers, and replaces those that are lost."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from actors.clock import Clock
from actors.errors import CANCELED, UNAVAILABLE, Failure
from actors.hosts.pid import Pid
from actors.hosts.records import HostInfo, ProcessInfo
from actors.hosts.shares import Shares
from actors.hosts.switchboard import Switchboard
from actors.hosts.worker import VMWorker
from actors.supervision import Exited, Lifecycle, Report, RestartPolicy, ServiceSpec, Started, StartFailed, Supervisor
from actors.supervision.service import KillWanted, StartWanted, StopWanted
from actors.vm.luavm import VMSettings
from actors.vm.memory import VMMemory
from actors.vm.wire import Input

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostSettings:
    """How a host runs processes (spec processes.md §8).

    Attributes:
        workers: how many VMs at most, each on a thread of its own; 0 for one for each CPU.
        max_processes: how many processes may live at once; 0 for no limit.
        mailbox_limit, mailbox_overflow: bounds of mailboxes, 0 for none.
        max_memory: bytes that each VM may take; 0 for no bound.
        terminal: its one process has the terminal. hide_logs: no log on that meanwhile. args: what `io.args` gives.
    """

    workers: int = 0
    max_processes: int = 0
    mailbox_limit: int = 0
    mailbox_overflow: str = "fail"
    max_memory: int = 0
    terminal: bool = False
    hide_logs: bool = False
    args: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many VMs at most."""
        return self.workers or os.cpu_count() or 1


class _WorkerDriver:
    """One life of one VM worker, as the host supervises it."""

    def __init__(self, host: ProcessHost, index: int) -> None:
        self._host = host
        self._index = index
        self._report: Report = lambda event: None
        self._ended = False

    def start(self, report: Report) -> None:
        self._report = report
        self._host.worker_drivers[self._index] = self
        self._host.launch_worker(self._index)
        report(Started())

    def stop(self, reason: str) -> None:
        self._host.retire_worker(self._index)
        self._end(Failure(reason, CANCELED))

    def kill(self) -> None:
        self.stop("host stopped")

    def lost(self, reason: str) -> None:
        self._end(Failure(f"VM lost: {reason}"))

    def _end(self, failure: Failure) -> None:
        if not self._ended:
            self._ended = True
            self._report(Exited(failure))


class ProcessHost(Supervisor):
    """One life of a `process.host` entry: owns its VM workers as children and restarts those that are lost.

    Deliveries go straight to the workers; through this actor go only the start, the replacement and the end of VMs.
    `place`, `info` and `processes` may be called from any thread.

    Args:
        door: answers the synchronous calls of the kernels.
        rng: gives the seeds of VMs.
    """

    def __init__(
        self,
        id: str,
        settings: HostSettings,
        board: Switchboard,
        door: Callable[..., Any],
        *,
        clock: Clock,
        rng: Random,
    ) -> None:
        super().__init__(clock=clock, name=f"host {id}", rng=rng)
        self.id = id
        self.settings = settings
        self.status = "stopped"
        self.vms_lost = 0
        self._board = board
        self._door = door
        self._lock = threading.RLock()  # guards the status, the count and the tables of workers and shares
        self._count = settings.count
        self._shares = Shares(settings.max_processes)
        self._workers: dict[int, VMWorker] = {}
        self.worker_drivers: dict[int, _WorkerDriver] = {}
        self._retired: list[VMWorker] = []  # stopping; `join_workers` waits for them
        self._started: set[int] = set()  # places whose VM is supervised; one that is lost comes back by itself
        self._past = [0, 0, 0, 0]  # counters of VMs that are gone
        for index in range(settings.count):
            self.add_cell(self._worker_spec(index))

    def begin(self) -> None:
        """Start the first VM and accept processes; on this actor's thread."""
        self.give(self._cell(0), StartWanted())
        with self._lock:
            self.status = "running"
        self._board.set_host(self, "running", self._count)

    def resize(self, workers: int) -> None:
        """Change the number of workers, from any thread. What runs goes on where it is: a surplus worker takes no new
        processes and ends with its last; a further one starts when it is needed.
        """
        with self._lock:
            self.settings = replace(self.settings, workers=workers)
            count = self.settings.count
            if count == self._count:
                return
            self._count = count
            running = dict(self._workers)
            state = self.status
        if state == "running":
            self._board.set_host(self, state, count)
        self.post(lambda: self._resized(count))
        for index, worker in running.items():
            surplus = index >= count
            worker.surplus = surplus
            worker.draining = (lambda index=index: self._surplus_ended(index)) if surplus else None
            self._shares.lower(index, self._part(index))
            worker.post([Input.LIMIT, self._part(index) if self.settings.max_processes else None, surplus])

    def _resized(self, count: int) -> None:
        for index in range(count):
            if self._cell(index) not in self.cells:
                self.add_cell(self._worker_spec(index))

    def _surplus_ended(self, index: int) -> None:
        def end() -> None:
            with self._lock:
                worker = self._workers.get(index)
                if worker is None or not worker.surplus:
                    return
            self.give(self._cell(index), StopWanted())

        self.post(end)

    def drain(self, reason: str, done: Callable[[], None]) -> None:
        """Accept no process any more, ask those that live to end, and call `done` when none is left."""
        with self._lock:
            self.status = "stopping"
            workers = list(self._workers.values())
        self._tell_state()
        left = len(workers)
        if not left:
            done()
            return

        def drained() -> None:
            nonlocal left
            with self._lock:
                left -= 1
                last = left == 0
            if last:
                done()

        def begin(worker: VMWorker) -> None:
            worker.draining = drained

        for worker in workers:
            worker.post([Input.STOPPING, reason])
            # behind what was asked for before, so that a VM whose first process is on the way does not count as empty
            worker.post(partial(begin, worker))

    def _tell_state(self) -> None:
        if self._board.host_state(self.id) is not None:  # not of an entry that was deleted meanwhile
            self._board.set_host(self, self.status, self._count)

    def kill_processes(self) -> None:
        """End all processes that live, as canceled."""
        for worker in self._workers.copy().values():
            worker.post([Input.KILL_ALL, "host stopped: process canceled"])

    def end(self) -> None:
        """Stop the VMs; on any thread."""
        self.status = "stopped"
        self._tell_state()
        self.post(self._end)

    def place(self, tried: tuple[int, ...] = (), *, by_load: bool = False) -> VMWorker | None:
        """Return the worker with the fewest processes among those not tried yet; a further VM starts when it is the
        better place. None when there is none at the moment.

        Args:
            by_load: the worker with the fewest processes that use up their slices, and only then with the fewest.
        """

        def load(worker: VMWorker) -> tuple[int, int]:
            counters = worker.counters()
            return (counters.cpu_bound if by_load else 0, counters.processes + worker.spawns_queued)

        with self._lock:
            for index, share in self._shares.spread(self._workers, self._part):
                self._workers[index].post([Input.LIMIT, share, False])
            best = min(
                (worker for worker in self._workers.values() if worker.vm not in tried and not worker.surplus),
                key=load,
                default=None,
            )
            if (best is None or load(best) > (0, 0)) and self.status == "running":
                unused = [place for place in range(self._count) if place not in self._started]
                if unused:
                    best = self.launch_worker(unused[0])
                    self.post(lambda: self._adopt(unused[0]))
            if best is not None:
                best.spawns_queued += 1
            return best

    def _adopt(self, index: int) -> None:
        """Supervise a VM that `place` started."""
        self._resized(self._count)
        self.give(self._cell(index), StartWanted())

    def launch_worker(self, index: int) -> VMWorker:
        """Start the VM of a place, unless it runs already; from any thread."""
        with self._lock:
            running = self._workers.get(index)
            if running is not None:
                return running
            self._started.add(index)
            share = self._shares.grant(index, self._part(index)) if self.settings.max_processes else None
            settings = self.settings

            def make(vm: int, memory: VMMemory) -> VMSettings:
                return VMSettings(
                    vm=vm,
                    host=self.id,
                    mark=self._board.mark,
                    node=self._board.node,
                    address=memory.generations,
                    header=memory.header,
                    workers=self._count,
                    limit=share,
                    mailbox_limit=settings.mailbox_limit or None,
                    mailbox_overflow=settings.mailbox_overflow,
                    seed1=self.rng.getrandbits(32),
                    seed2=self.rng.getrandbits(32),
                    max_memory=settings.max_memory,
                    terminal=settings.terminal,
                    hide_logs=settings.hide_logs,
                    args=settings.args,
                )

            worker = VMWorker(
                self._board,
                self.id,
                make,
                self._door,
                lambda lost, reason: self._on_lost(index, lost, reason),
                clock=self.clock,
                name=f"vm {self.id}#{index + 1}",
            )
            self._workers[index] = worker
            worker._start_actor_loop()
            return worker

    def retire_worker(self, index: int) -> None:
        """End the VM of a place in order."""
        with self._lock:
            worker = self._workers.pop(index, None)
            if worker is None:
                return
            self._keep(worker)
            self._shares.free(index)
            if worker.surplus:
                self._started.discard(index)
            self._retired.append(worker)
        self._board.leave(worker.vm)
        worker.stop()

    def join_workers(self, timeout: float) -> None:
        """Stop what VMs still run and wait for their threads; one that is stuck is left behind."""
        for index in list(self._workers):
            self.retire_worker(index)
        for worker in self._retired:
            if not worker.abandoned and not worker.join(timeout):
                log.warning("the thread of %s is stuck and is left behind", worker.name, extra={"host": self.id})

    def abandon(self, worker: VMWorker, seconds: float) -> None:
        """Give up a VM that is stuck, from any thread: its thread is left behind."""
        with self._lock:
            index = next((index for index, known in self._workers.items() if known is worker), None)
            if index is None or worker.abandoned:
                return
            worker.abandoned = True
        self._on_lost(index, worker, f"stuck for {seconds:.1f} s")

    def _on_lost(self, index: int, worker: VMWorker, reason: str) -> None:
        """Hear that a VM is lost, from any thread: whoever watched its processes learns of it, and it is replaced."""
        dead: list[tuple[str, str]] = []
        with self._lock:
            if self._workers.get(index) is worker:
                dead = self._processes_of(worker)
                del self._workers[index]
                self._keep(worker)
                self._past[1] += len(dead)
                self._shares.free(index)
                self.vms_lost += 1
        self._board.lose(worker.vm, "worker lost")
        worker.inbox.close()
        driver = self.worker_drivers.get(index)
        if driver is not None:
            driver.lost(reason)
        if worker.draining is not None:
            worker.draining()
        for pid, entry in dead:
            self._board.died(pid, entry, self.id, Failure("worker lost"))

    def _processes_of(self, worker: VMWorker) -> list[tuple[str, str]]:
        """Return PIDs and entries of what lives in a VM, without function calls: their callers get the error."""
        living = (self._pid(worker, *slot) for slot in worker.memory.living())
        return [(pid, entry) for pid, entry in living if entry not in self._board.functions]

    def info(self) -> HostInfo:
        """Return the state and the counters."""
        with self._lock:
            workers = list(self._workers.values())
            past = list(self._past)
        counters = [worker.counters() for worker in workers]
        return HostInfo(
            id=self.id,
            status=self.status,
            workers=len(workers),
            max_workers=self._count,
            processes=sum(c.processes for c in counters),
            spawned=past[0] + sum(c.spawned for c in counters),
            failed=past[1] + sum(c.failed for c in counters),
            sent=past[2] + sum(c.sent for c in counters),
            dead_letters=past[3] + sum(c.dead_letters for c in counters),
            vms_lost=self.vms_lost,
        )

    def processes(self) -> list[ProcessInfo]:
        """Return what lives on this host, from the memory that its VMs publish."""
        board = self._board
        found = []
        for worker in self._workers.copy().values():
            for slot, generation, entry in worker.memory.living():
                pid, id = self._pid(worker, slot, generation, entry)
                found.append(ProcessInfo(pid, id, self.id, board.names.of(pid)))
        return found

    def running_process(self, worker: VMWorker) -> str:
        """Name the process that a VM was running when it was last heard of, for a message; empty when unknown."""
        slot = worker.counters().running_slot
        found = worker.memory.at(slot)
        if found is None:
            return ""
        pid, entry = self._pid(worker, slot, *found)
        return f" in {pid} ({entry})"

    def workers(self) -> list[VMWorker]:
        """Return the workers that run."""
        with self._lock:
            return list(self._workers.values())

    def _pid(self, worker: VMWorker, slot: int, generation: int, number: int) -> tuple[str, str]:
        board = self._board
        entry = board.entry_id(number)
        host = entry if entry in board.functions else self.id
        return Pid.text(board.node, host, board.mark, worker.vm, slot, generation), entry

    def _part(self, index: int) -> int:
        """Return what a place should have of max_processes."""
        most, count = self.settings.max_processes, self._count
        if index >= count:
            return 0
        return most // count + (1 if index < most % count else 0)

    def _keep(self, worker: VMWorker) -> None:
        c = worker.counters()
        for i, value in enumerate((c.spawned, c.failed, c.sent, c.dead_letters)):
            self._past[i] += value

    def _cell(self, index: int) -> str:
        return f"{self.id}#{index + 1}"

    def _worker_spec(self, index: int) -> ServiceSpec:
        return ServiceSpec(
            self._cell(index),
            lambda: _WorkerDriver(self, index),
            Lifecycle(restart=RestartPolicy(initial_delay=0.05, max_delay=5.0)),
            noun="VM",
        )

    def _end(self) -> None:
        for cell in list(self.cells):
            self.give(cell, KillWanted())
        self.stop()


class HostDriver:
    """One life of a `process.host` service, as the root supervisor sees it.

    Args:
        launch: starts the actor of the host.
    """

    def __init__(self, launch: Callable[[], ProcessHost]) -> None:
        self._launch = launch
        self._host: ProcessHost | None = None
        self._report: Report = lambda event: None
        self._ended = False

    def start(self, report: Report) -> None:
        """Start the host's actor and its first VM."""
        self._report = report
        host = self._launch()
        self._host = host

        def begin() -> None:
            try:
                host.begin()
            except Exception as error:
                report(StartFailed(Failure(f"host {host.id}: {error}", UNAVAILABLE, True)))
            else:
                report(Started())

        host.post(begin)

    def stop(self, reason: str) -> None:
        """Ask every process to end, and end when none is left."""
        host = self._host
        if host is not None:
            host.post(lambda: host.drain("scheduler shutdown", self._finish))

    def kill(self) -> None:
        """End what lives."""
        host = self._host
        if host is not None:
            host.kill_processes()
            host.post(self._finish)

    def _finish(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._host is not None:
            self._host.end()
        self._report(Exited(Failure("host stopped", CANCELED)))
