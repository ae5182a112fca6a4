"""Virtual time through the whole runtime: days pass at once, delays are exact, runs are repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors import ProcessError, Runtime, ServiceChanged, VirtualClock

ENTRIES = """
- name: processes
  kind: process.host
  host: { workers: 1 }
  lifecycle: { auto_start: true, stop_timeout: 1s }
- name: sleeper
  kind: process.lua
  modules: [time]
  source: |
    local time = require("time")
    return { main = function(d)
      local before = time.now()
      time.sleep(d)
      return time.now():sub(before):seconds()
    end }
- name: ticks
  kind: process.lua
  modules: [time]
  source: |
    local time = require("time")
    return { main = function(n)
      local start, seen = time.now(), {}
      local ticker = time.ticker("90m")
      for i = 1, n do
        ticker:response():receive()
        seen[i] = time.now():sub(start):minutes()
      end
      return seen
    end }
- name: crashes
  kind: process.lua
  modules: [time]
  source: |
    return { main = function(after)
      require("time").sleep(after)
      error("boom")
    end }
- name: deaf
  kind: process.lua
  source: |
    return { main = function() process.inbox():receive() end }
- name: chance
  kind: process.lua
  modules: [time]
  source: |
    return { main = function()
      local list = {}
      for i = 1, 5 do list[i] = math.random(1000000) end
      return list
    end }
- name: svc
  kind: process.service
  process: crashes
  host: processes
  input: [1s]
  lifecycle:
    auto_start: true
    restart: { initial_delay: 10s, backoff_factor: 3, max_delay: 60s, jitter: 0, max_attempts: 5 }
"""


@pytest.fixture
def folder(app: Callable[..., Path]) -> Path:
    return app(ENTRIES)


def test_a_sleep_of_days_takes_no_time(folder: Path) -> None:
    clock = VirtualClock()
    with Runtime.load(folder, clock=clock) as rt:
        assert rt.exec("app:sleeper", "app:processes", "240h") == 864000
        assert rt.exec("app:ticks", "app:processes", 4) == [90, 180, 270, 360]


def test_restarts_come_with_exact_delays(folder: Path) -> None:
    clock = VirtualClock()
    seen: list[tuple[float, str, float | None]] = []

    def on_event(event: Any) -> None:
        if isinstance(event, ServiceChanged) and event.state.id == "app:svc":
            seen.append((round(clock.monotonic(), 6), event.state.status.value, event.retry_in))

    rt = Runtime.load(folder, clock=clock)
    rt.watch(on_event)
    with rt:
        clock.advance(1000)
        state = {service.id: service for service in rt.services()}["app:svc"]
        assert (state.status.value, state.retry_count) == ("failed", 5)
    failed = [(at, retry) for at, status, retry in seen if status == "failed"]
    assert failed == [(1, 10), (12, 30), (43, 60), (104, 60), (165, None)]


def test_time_outs_are_in_virtual_time(folder: Path) -> None:
    clock = VirtualClock()
    with Runtime.load(folder, clock=clock) as rt:
        box = rt.mailbox()
        before = clock.monotonic()
        with pytest.raises(TimeoutError):
            rt.exec("app:sleeper", "app:processes", "2h", timeout=3600)
        with pytest.raises(TimeoutError):
            box.receive(timeout=3600)
        assert clock.monotonic() - before == 7200
        pid = rt.spawn("app:deaf", "app:processes")
        box.monitor(pid)
        rt.cancel(pid, deadline=600)
        assert box.events.receive().result["error"].kind == "Timeout"
        assert clock.monotonic() - before == 7800


def test_a_service_that_does_not_stop_is_killed_at_its_time(folder: Path) -> None:
    clock = VirtualClock()
    rt = Runtime.load(folder, clock=clock)
    rt.start()
    clock.advance(5)  # the service waits for its next attempt
    rt.spawn("app:deaf", "app:processes")
    before = clock.monotonic()
    rt.stop()
    assert clock.monotonic() - before == 1.0


def test_the_same_seed_gives_the_same_run(folder: Path) -> None:
    def history(seed: int) -> Any:
        clock = VirtualClock()
        with Runtime.load(folder, clock=clock, seed=seed) as rt:
            values = [rt.exec("app:chance", "app:processes") for _ in range(3)]
            with pytest.raises(ProcessError):
                rt.exec("app:crashes", "app:processes", "3s")
            return values, clock.monotonic()

    assert history(1) == history(1)
    assert history(1) != history(2)
