"""Several VMs of a host (spec processes.md §8): start, placement, bounds, and what crosses between them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from actors import ProcessError, Runtime
from hosts.conftest import host_of, started, vm_of
from registry import ChangeSet, Entry


def test_a_vm_starts_when_it_is_needed(rt: Runtime) -> None:
    seen = []
    for _ in range(5):
        seen.append(len(host_of(rt, "app:three").workers()))
        rt.spawn("app:idle", "app:three")
    assert seen == [1, 1, 2, 3, 3]


def test_processes_of_python_go_where_the_fewest_are(rt: Runtime) -> None:
    pids = [rt.spawn("app:idle", "app:three") for _ in range(9)]
    assert sorted(Counter(map(vm_of, pids)).values()) == [3, 3, 3]


def test_processes_of_a_process_stay_on_its_worker(rt: Runtime) -> None:
    rt.exec("app:bomb", "app:three", "app:idle", "app:three", 50)
    assert len({vm_of(process.pid) for process in rt.processes() if process.host == "app:three"}) == 1


def test_a_process_spawns_elsewhere_while_its_worker_is_busy(rt: Runtime) -> None:
    # with one loop the worker is not clearly busier than the others, with three it is
    calm = rt.exec("app:spawner", "app:three", "app:three", 0)
    assert vm_of(calm["own"]) == vm_of(calm["child"])
    busy = rt.exec("app:spawner", "app:three", "app:three", 3)
    assert vm_of(busy["own"]) != vm_of(busy["child"])


def test_max_processes_is_exact_however_many_workers_there_are(rt: Runtime) -> None:
    pids = [rt.spawn("app:idle", "app:seven") for _ in range(7)]
    for _ in range(3):
        with pytest.raises(ProcessError) as refused:
            rt.spawn("app:idle", "app:seven")
        assert refused.value.kind == "LimitExceeded"
    box = rt.mailbox()
    box.monitor(pids[3])
    rt.terminate(pids[3])
    box.events.receive()
    rt.spawn("app:idle", "app:seven")
    assert sum(process.host == "app:seven" for process in rt.processes()) == 7


@pytest.mark.parametrize("host", ["app:seven", "app:one"])
def test_a_spawn_bomb_gets_exactly_what_is_left(rt: Runtime, host: str) -> None:
    # from the same host (the bomb itself counts) and from another one
    result = rt.exec("app:bomb", host, "app:idle", "app:seven", 40)
    left = 6 if host == "app:seven" else 7
    assert result == {"ok": left, "kinds": {"LimitExceeded": 40 - left}}


def test_a_process_is_told_why_a_host_is_none(rt: Runtime) -> None:
    assert rt.exec("app:bomb", "app:one", "app:idle", "app:nowhere", 1)["kinds"] == {"NotFound": 1}
    assert rt.exec("app:bomb", "app:one", "app:idle", "app:idle", 1)["kinds"] == {"Invalid": 1}
    assert rt.exec("app:bomb", "app:one", "app:nothing", "app:three", 1)["kinds"] == {"NotFound": 1}


def test_a_taken_name_is_found_on_a_full_host(rt: Runtime) -> None:
    pid = rt.spawn("app:idle", "app:seven", name="there")
    for _ in range(6):
        rt.spawn("app:idle", "app:seven")
    assert rt.spawn("app:idle", "app:seven", name="there") == pid


@pytest.mark.parametrize(("own", "other"), [("app:one", "app:three"), ("app:three", "app:one"), ("app:one", "app:one")])
def test_hosts_and_workers_do_not_show(rt: Runtime, own: str, other: str) -> None:
    assert rt.exec("app:cross", own, other) == {
        "copied": True,
        "monitored": True,
        "twice": "AlreadyExists",
        "exit": True,
        "gone": "NotFound",
        "monitor_gone": "NotFound",
        "link_gone": "NotFound",
        "order": "pid.exit pid.link.down",
        "message": "crash",
        "named": True,
        "by_name": True,
        "same_name": True,
        "terminated": "process terminated",
        "freed": True,
        "canceled": "pid.cancel",
        "exec": 2,
        "exec_error": "NotFound",
        "ordered": True,
        "unlinked": True,
    }


def test_monitors_of_python_reach_every_host(rt: Runtime) -> None:
    box = rt.mailbox()
    one = rt.spawn("app:peer", "app:one")
    two = rt.spawn("app:peer", "app:three", True)
    rt.exec("app:identity", "app:one")
    box.monitor(one)
    box.monitor(two)
    rt.terminate(one)
    assert box.events.receive().sender == one
    rt.send(two, "stop")
    assert box.events.receive().result == {"value": "stopped"}


def test_a_full_mailbox_refuses_and_what_python_sends_becomes_a_dead_letter(rt: Runtime) -> None:
    pid = rt.spawn("app:full", "app:bounded")
    for i in range(5):
        rt.send(pid, "x", i)
    assert rt.exec("app:identity", "app:bounded", 1) == 1
    assert [(letter.to, letter.topic, letter.reason) for letter in rt.dead_letters()] == [
        (pid, "x", "mailbox full")
    ] * 2


def test_an_entry_may_drop_its_oldest_messages(rt: Runtime) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:drops_oldest", "app:one")
    box.monitor(pid)
    for i in range(5):
        rt.send(pid, "x", i)
    rt.cancel(pid)
    assert box.events.receive().result == {"value": [3, 4]}
    assert [letter.reason for letter in rt.dead_letters()] == ["mailbox full, oldest dropped"] * 3


def test_a_host_stops_in_order_and_starts_empty(rt: Runtime) -> None:
    box = rt.mailbox()
    polite, deaf = rt.spawn("app:polite", "app:three"), rt.spawn("app:idle", "app:three")
    box.monitor(polite)
    box.monitor(deaf)
    rt.stop_service("app:three")
    ends = {event.sender: event.result for event in (box.events.receive(), box.events.receive())}
    assert ends[polite] == {"value": "pid.cancel: scheduler shutdown"}
    assert ends[deaf]["error"].kind == "Canceled"
    with pytest.raises(ProcessError) as refused:
        rt.spawn("app:idle", "app:three")
    assert refused.value.kind == "Unavailable"
    assert rt.exec("app:bomb", "app:one", "app:idle", "app:three", 2) == {"ok": 0, "kinds": {"Unavailable": 2}}
    rt.start_service("app:three")
    assert [process for process in rt.processes() if process.host == "app:three"] == []
    assert rt.exec("app:identity", "app:three", 1) == 1


def test_no_worker_takes_more_than_its_host_may_have_after_a_restart(rt: Runtime) -> None:
    for _ in range(7):
        rt.spawn("app:idle", "app:seven")
    rt.stop_service("app:seven")
    rt.start_service("app:seven")
    assert rt.exec("app:bomb", "app:one", "app:idle", "app:seven", 10)["ok"] == 7


def resize(rt: Runtime, id: str, workers: int) -> None:
    entry = rt.registry.get(id)
    data = {**dict(entry.data), "host": {**dict(entry.data["host"]), "workers": workers}}
    rt.registry.apply(ChangeSet().update(Entry(id, entry.kind, entry.meta, data)))


def test_workers_are_changed_in_place(folder: Path) -> None:
    with started(folder) as rt:
        box = rt.mailbox()
        pids = [rt.spawn("app:idle", "app:seven") for _ in range(7)]
        assert len(host_of(rt, "app:seven").workers()) == 3
        resize(rt, "app:seven", 1)
        assert sum(process.host == "app:seven" for process in rt.processes()) == 7
        # a surplus worker goes with its last process; what it gives back can be used at once
        first = vm_of(pids[0])
        for pid in pids:
            if vm_of(pid) != first:
                box.monitor(pid)
                rt.terminate(pid)
                box.events.receive()
                back = rt.spawn("app:idle", "app:seven")
                assert vm_of(back) == first
                with pytest.raises(ProcessError) as refused:
                    rt.spawn("app:idle", "app:seven")
                assert refused.value.kind == "LimitExceeded"
        assert sum(process.host == "app:seven" for process in rt.processes()) == 7
        resize(rt, "app:seven", 2)
        with pytest.raises(ProcessError) as refused:
            rt.spawn("app:idle", "app:seven")
        assert refused.value.kind == "LimitExceeded"
        for process in rt.processes():
            if process.host == "app:seven":
                box.monitor(process.pid)
                rt.terminate(process.pid)
                box.events.receive()
        assert rt.exec("app:bomb", "app:one", "app:idle", "app:seven", 10)["ok"] == 7
        assert len({vm_of(process.pid) for process in rt.processes() if process.host == "app:seven"}) == 2
