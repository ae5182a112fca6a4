"""Processes on hosts with real threads, in virtual time, seen from Python (spec processes.md §3-§9)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actors import ProcessError, Runtime
from actors.clock import VirtualClock
from actors.kinds import EntryKinds
from registry import ChangeSet, Registry

HOSTS = ["app:one", "app:two"]


def _process(name: str, body: str) -> dict[str, object]:
    source = f"local function main(...) {body}\nend return {{main = main}}"
    return {"id": f"app:{name}", "kind": "process.lua", "data": {"source": source, "modules": ["time"]}}


def _host(id: str, workers: int) -> dict[str, object]:
    return {
        "id": id,
        "kind": "process.host",
        "data": {"host": {"workers": workers}, "lifecycle": {"auto_start": True, "stop_timeout": "3s"}},
    }


ENTRIES = [
    _host("app:one", 1),
    _host("app:two", 2),
    _process("sender", "local to, n = ... for i = 1, n do process.send(to, 'n', i) end return n"),
    _process("waiter", "process.inbox():receive() error('woken', 0)"),
    _process("polite", "return process.events():receive().reason"),
    _process("deaf", "while true do process.inbox():receive() end"),
    _process(
        "partner",
        "local host, box = ... local pid = process.spawn_linked('app:waiter', host) process.send(box, 'pid', pid) "
        "process.inbox():receive()",
    ),
    _process(
        "versioned",
        "process.set_options{upgradable = true} process.send((...), 'v', 1) "
        "local e = process.events():receive() process.send((...), e.kind, e.sources) process.upgrade(nil, ...)",
    ),
    _process(
        "crowd",
        """
        local n = ...
        local hosts, events, sum = {"app:one", "app:two"}, process.events(), 0
        for i = 1, n do process.spawn_monitored("app:sleeper", hosts[i % 2 + 1], i) end
        for i = 1, n do sum = sum + events:receive().result.value end
        return sum
        """,
    ),
    _process("sleeper", "time.sleep((...) .. 's') return (...)"),
]


@pytest.fixture
def rt() -> Iterator[Runtime]:
    registry = Registry(ENTRIES, kinds=EntryKinds(), os_environ={})
    with Runtime(registry, clock=VirtualClock(), seed=1) as runtime:
        yield runtime


@pytest.mark.parametrize("host", HOSTS)
def test_a_mailbox_gets_everything_before_the_end(rt: Runtime, host: str) -> None:
    box = rt.mailbox()
    assert rt.exec("app:sender", host, box.pid, 500) == 500
    assert [box.receive(timeout=1).payload for _ in range(500)] == list(range(1, 501))


@pytest.mark.parametrize("host", HOSTS)
def test_nobody_finds_a_process_whose_end_was_told(rt: Runtime, host: str) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:waiter", host)
    box.monitor(pid)
    rt.send(pid, "wake")
    assert box.events.receive(timeout=1).result["error"].message == "woken"
    with pytest.raises(ProcessError) as caught:
        rt.send(pid, "late")
    assert caught.value.kind == "NotFound"


@pytest.mark.parametrize("host", HOSTS)
def test_a_link_reaches_over_hosts(rt: Runtime, host: str) -> None:
    box = rt.mailbox()
    partner = rt.spawn("app:partner", "app:one", host, box.pid)
    child = box.receive(timeout=1).payload
    box.monitor(partner)
    box.monitor(child)
    rt.send(child, "wake")
    ends = {event.sender: event.result["error"] for event in (box.events.receive(timeout=1) for _ in range(2))}
    assert ends[child].message == "woken"
    assert (ends[partner].message, ends[partner].kind) == ("linked process failed", "Internal")


def test_a_change_of_the_registry_is_told_and_an_upgrade_takes_the_new_code(rt: Runtime) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:versioned", "app:two", box.pid)
    assert box.receive(timeout=1).payload == 1
    rt.registry.apply(
        ChangeSet().update(_process("versioned", "process.send((...), 'v', 2) process.inbox():receive()"))
    )
    told, new = box.receive(timeout=1), box.receive(timeout=1)
    assert (told.topic, told.payload) == ("pid.outdated", ["app:versioned"])
    assert (new.sender, new.payload) == (pid, 2)


def test_a_host_that_stops_waits_for_those_who_end_and_cancels_the_rest(rt: Runtime) -> None:
    box = rt.mailbox()
    polite, deaf = rt.spawn("app:polite", "app:two"), rt.spawn("app:deaf", "app:two")
    box.monitor(polite)
    box.monitor(deaf)
    rt.stop_service("app:two", timeout=60)
    ends = {event.sender: event.result for event in (box.events.receive(timeout=1) for _ in range(2))}
    assert ends[polite] == {"value": "scheduler shutdown"}
    assert ends[deaf]["error"].kind == "Canceled"
    with pytest.raises(ProcessError) as caught:
        rt.spawn("app:polite", "app:two")
    assert caught.value.kind == "Unavailable"


def test_sleepers_on_all_vms_are_heard(rt: Runtime) -> None:
    assert rt.exec("app:crowd", "app:one", 40) == 820
