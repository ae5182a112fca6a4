"""A VM that is lost, or stuck in a C call: who hears of it, what goes on (design §4, spec processes.md §3.3)."""

from __future__ import annotations

import logging
import queue
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from actors import ProcessEnded, ProcessError, Runtime, ServiceChanged
from actors.hosts.worker import VMWorker
from hosts.conftest import host_of, started

BREAKS_THE_KERNEL = [99]


def lose(rt: Runtime, host: str) -> VMWorker:
    """Give the first VM of a host an input that its kernel does not know: an error of the kernel itself."""
    worker = host_of(rt, host).workers()[0]
    worker.post(BREAKS_THE_KERNEL)
    return worker


class Changes:
    """The changes of services, to be waited for."""

    def __init__(self, rt: Runtime) -> None:
        self._events: queue.Queue[Any] = queue.Queue()
        rt.watch(self._events.put)

    def wait_for(self, id: str, status: str) -> ServiceChanged:
        while True:
            event = self._events.get()
            if isinstance(event, ServiceChanged) and (event.state.id, event.state.status.value) == (id, status):
                return event


def test_watchers_hear_that_the_worker_was_lost(rt: Runtime) -> None:
    box = rt.mailbox()
    changes = Changes(rt)
    named = rt.spawn("app:idle", "app:one", name="lost")
    box.monitor(named)
    watcher = rt.spawn("app:peer", "app:three", True)
    box.monitor(watcher)
    rt.exec("app:identity", "app:three")
    link = rt.spawn("app:idle", "app:one")
    lose(rt, "app:one")
    event = box.events.receive()
    assert (event.sender, event.result["error"].message, event.result["error"].kind) == (
        named,
        "worker lost",
        "Internal",
    )
    assert event.result["error"].retryable is None
    assert rt.lookup("lost") is None
    for pid in (named, link):
        with pytest.raises(ProcessError) as gone:
            rt.send(pid, "x")
        assert gone.value.kind == "NotFound"
    assert "worker lost" in str(changes.wait_for("app:svc", "failed").state.details)
    changes.wait_for("app:svc", "running")
    assert rt.exec("app:identity", "app:one", 1) == 1
    assert {host.id: host.vms_lost for host in rt.hosts()}["app:one"] == 1
    rt.send(watcher, "stop")
    assert box.events.receive().result == {"value": "stopped"}


def test_every_process_of_a_lost_vm_has_its_death_record(rt: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    ended: queue.Queue[Any] = queue.Queue()
    rt.watch(lambda event: ended.put(event) if isinstance(event, ProcessEnded) else None)
    pids = {rt.spawn("app:idle", "app:one") for _ in range(3)}
    with caplog.at_level(logging.ERROR):
        lose(rt, "app:one")
        told: dict[str, ProcessEnded] = {}
        while not pids <= told.keys():
            event = ended.get()
            told[event.pid] = event
    assert {(told[pid].entry, told[pid].host, told[pid].failure.message) for pid in pids} == {
        ("app:idle", "app:one", "worker lost")
    }
    records = {record.__dict__["pid"]: record.__dict__ for record in caplog.records if hasattr(record, "kind")}
    assert {(records[pid]["entry"], records[pid]["host"], records[pid]["reason"]) for pid in pids} == {
        ("app:idle", "app:one", "worker lost")
    }
    assert {host.id: host.failed for host in rt.hosts()}["app:one"] >= len(pids)


def test_processes_of_other_hosts_hear_of_the_loss_too(rt: Runtime, app: Any) -> None:
    box = rt.mailbox()
    lost = rt.spawn("app:idle", "app:one")
    linked = rt.spawn("app:linker", "app:three", lost, "link", box.pid)
    monitoring = rt.spawn("app:linker", "app:three", lost, "monitor", box.pid)
    box.monitor(linked)
    box.monitor(monitoring)
    assert {box.receive().topic, box.receive().topic} == {"ready"}
    lose(rt, "app:one")
    ends = {event.sender: event.result for event in (box.events.receive(), box.events.receive())}
    assert ends[linked]["error"].message == "linked process failed"
    assert ends[monitoring] == {"value": "worker lost"}


def test_who_waits_for_a_lost_vm_gets_an_error(rt: Runtime) -> None:
    failures: list[ProcessError] = []

    def wait() -> None:
        with pytest.raises(ProcessError) as caught:
            rt.exec("app:idle", "app:one")
        failures.append(caught.value)

    waiting = threading.Thread(target=wait)
    box = rt.mailbox()
    waiting.start()
    while sum(process.entry == "app:idle" and process.host == "app:one" for process in rt.processes()) < 2:
        rt.exec("app:identity", "app:one")
    lose(rt, "app:one")
    waiting.join()
    assert failures[0].message == "worker lost"
    assert box


def test_a_spawn_that_waits_for_another_host_is_told_of_its_loss(rt: Runtime) -> None:
    # the request is behind the record that breaks the kernel, so that it is never answered by it
    box = rt.mailbox()
    pid = rt.spawn("app:asks", "app:three", box.pid)
    assert box.receive().topic == "ready"
    worker = host_of(rt, "app:one").workers()[0]
    hold, held = threading.Event(), threading.Event()

    def keep_busy() -> None:
        held.set()
        hold.wait()

    worker.post(keep_busy)
    held.wait()
    worker.post(BREAKS_THE_KERNEL)
    rt.send(pid, "go")
    box.monitor(pid)
    hold.set()
    result = box.events.receive().result
    assert result["value"] in ("Internal", "Unavailable")


def test_a_vm_that_is_stuck_is_reported_and_replaced(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    inside, release = threading.Event(), threading.Event()

    def stuck(*args: bytes) -> bytes:
        inside.set()
        release.wait()
        return b"x"

    with started(folder, stuck_after=0.05) as rt, caplog.at_level(logging.ERROR):
        door = rt._machine._door
        door.add("hash", stuck)
        box, changes = rt.mailbox(), Changes(rt)
        bystander = rt.spawn("app:idle", "app:one", name="bystander")
        box.monitor(bystander)
        pid = rt.spawn("app:stuck", "app:one")
        rt.send(pid, "go")
        inside.wait()
        thread = host_of(rt, "app:one").workers()[0]._thread
        # inspection answers while the VM does not
        assert rt.hosts()
        assert rt.services()
        assert isinstance(rt.processes(), list)
        assert box.events.receive().result["error"].message == "worker lost"
        assert rt.lookup("bystander") is None
        changes.wait_for("app:svc", "running")
        assert rt.exec("app:identity", "app:one", 1) == 1
        assert {host.id: host.vms_lost for host in rt.hosts()}["app:one"] == 1
        assert all(process.pid != pid for process in rt.processes())
        reports = [record.getMessage() for record in caplog.records if "is stuck" in record.getMessage()]
        assert len(reports) == 1
        assert re.search(rf"of app:one is stuck for \d+\.\d s in {re.escape(pid)} \(app:stuck\)", reports[0]), reports
        # the thread that was left behind ends when the call returns, and what it does then reaches nobody
        assert thread is not None
        release.set()
        thread.join()
        assert rt.exec("app:identity", "app:one", 1) == 1


def test_a_stuck_vm_does_not_keep_the_runtime_from_stopping(folder: Path) -> None:
    inside, release = threading.Event(), threading.Event()

    def stuck(*args: bytes) -> bytes:
        inside.set()
        release.wait()
        return b"x"

    rt = Runtime.load(folder, stuck_after=0.05)
    rt.start()
    rt._machine._door.add("hash", stuck)
    worker = host_of(rt, "app:one").workers()[0]
    rt.send(rt.spawn("app:stuck", "app:one"), "go")
    inside.wait()
    rt.exec("app:identity", "app:three")
    rt.stop(0)
    release.set()
    assert worker._thread is not None
    worker._thread.join()


def test_a_vm_that_keeps_being_lost_keeps_being_replaced(rt: Runtime) -> None:
    changes = Changes(rt)
    for _ in range(3):
        lose(rt, "app:one")
        changes.wait_for("app:svc", "failed")
        changes.wait_for("app:svc", "running")
    assert rt.exec("app:identity", "app:one", 1) == 1
    assert {host.id: host.vms_lost for host in rt.hosts()}["app:one"] == 3
