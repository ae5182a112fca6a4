"""Calls of Python (`Runtime.call`), and the settings of entries as the runtime reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors import ProcessError, Runtime
from actors.clock import VirtualClock
from registry import ChangeSet

ENTRIES = """
- name: host
  kind: process.host
  host: { workers: 2 }
  lifecycle: { auto_start: true }
- name: add
  kind: function.lua
  method: add
  source: |
    return { add = function(a, b) return a + b end }
- name: slow
  kind: function.lua
  method: run
  modules: [time]
  meta: { options: { timeout: 2s } }
  source: |
    return { run = function(d) require("time").sleep(d) return "done" end }
- name: flaky
  kind: function.lua
  method: run
  meta: { options: { retry: { max_attempts: 3, initial_delay: 1s, jitter: 0 } } }
  source: |
    local n = 0
    return { run = function()
      n = n + 1
      if n == 3 then return n end
      return nil, errors.new({message = "x", kind = errors.UNAVAILABLE})
    end }
- name: one
  kind: function.lua
  method: run
  modules: [time]
  pool: { type: static, workers: 1 }
  source: |
    return { run = function() require("time").sleep("1s") return os.time() end }
- name: job
  kind: process.lua
  meta: { default_host: host }
  source: |
    return { main = function(x) if x then return {x, process.pid()} end return nil, "nothing" end }
- name: other_job
  kind: process.lua
  meta: { options: { default_host: "app:host" } }
  source: |
    return { main = function(x) return x end }
- name: fan
  kind: process.lua
  modules: [funcs]
  source: |
    return { main = function() return (funcs.call("app:one")) end }
- name: living
  kind: process.lua
  modules: [funcs]
  source: |
    return { main = function() return (funcs.call("app:slow", "1s")) end }
"""

Write = Callable[..., Path]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def rt(app: Write, clock: VirtualClock) -> Iterator[Runtime]:
    with Runtime.load(app(ENTRIES), clock=clock) as runtime:
        yield runtime


def kind_of(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ProcessError) as caught:
        call()
    return caught.value.kind, caught.value.message


@pytest.mark.parametrize(
    ("target", "kind", "message"),
    [
        ("", "Invalid", "function ID required"),
        ("add", "Invalid", "namespace required in function ID"),
        ("app:", "Invalid", "name required in function ID"),
        ("app:nobody", "NotFound", "no handler registered for target: app:nobody"),
        ("app:fan", "NotFound", "no handler registered for target: app:fan is a process.lua"),
        ("app:host", "NotFound", "no handler registered for target: app:host is a process.host"),
    ],
)
def test_a_wrong_target_is_told(rt: Runtime, target: str, kind: str, message: str) -> None:
    assert kind_of(lambda: rt.call(target)) == (kind, message)


def test_the_options_of_an_entry_hold_for_calls_of_python(rt: Runtime, clock: VirtualClock) -> None:
    assert kind_of(lambda: rt.call("app:slow", "1h")) == ("Timeout", "app:slow did not return within 2 s")
    before = clock.monotonic()
    assert rt.call("app:flaky") == 3
    assert clock.monotonic() - before == 1 + 2


def test_a_process_with_a_default_host_is_called_as_a_function(rt: Runtime) -> None:
    value, pid = rt.call("app:job", "x")
    assert value == "x"
    assert pid.startswith("{app:host|")
    assert rt.call("app:other_job", 1) == 1
    assert kind_of(lambda: rt.call("app:job"))[1] == "nothing"


def test_a_written_bound_holds_for_processes_of_all_workers_and_for_python(rt: Runtime) -> None:
    box = rt.mailbox()
    pids = [rt.spawn("app:fan", "app:host") for _ in range(4)]
    for pid in pids:
        box.monitor(pid)
    times = [rt.call("app:one")]
    while len(times) < 5:
        event = box.events.receive(timeout=60)
        times.append(event.result["value"])
    assert len(set(times)) == 5
    box.close()


def test_a_warm_start_runs_the_script_before_the_first_call(app: Write, caplog: pytest.LogCaptureFixture) -> None:
    alone = (
        "- { name: add, kind: function.lua, method: add, source: 'return { add = function(a, b) return a + b end }' }"
    )
    with Runtime.load(app(alone)) as rt, caplog.at_level("INFO", logger="tutela.lua"):
        source = 'print("built") return { run = function() return 1 end }'
        data = {"source": source, "method": "run", "pool": {"warm_start": True}}
        entry = {"id": "app:warm", "kind": "function.lua", "data": data}
        rt.call("app:add", 1, 2)
        rt.registry.apply(ChangeSet().create(entry))
        rt.call("app:add", 1, 2)
        assert "built" in caplog.text
        caplog.clear()
        assert rt.call("app:warm") == 1
        assert "built" not in caplog.text


def test_a_running_call_is_listed_under_the_pid_that_it_has(rt: Runtime, clock: VirtualClock) -> None:
    pid = rt.spawn("app:living", "app:host")
    clock.settle()
    calls = [info for info in rt.processes() if info.entry == "app:slow"]
    assert [info.pid.startswith("{app:slow|") for info in calls] == [True]
    rt.terminate(calls[0].pid)
    clock.settle()
    assert [info for info in rt.processes() if info.pid in (pid, calls[0].pid)] == []
