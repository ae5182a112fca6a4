"""An app with hosts of several workers, and what looks into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from actors import Runtime
from actors.hosts import Pid, ProcessHost

ENTRIES = """
- name: one
  kind: process.host
  host: { workers: 1 }
  lifecycle: { auto_start: true, stop_timeout: 100ms }
- name: three
  kind: process.host
  host: { workers: 3 }
  lifecycle: { auto_start: true, stop_timeout: 100ms }
- name: seven
  kind: process.host
  host: { workers: 3, max_processes: 7 }
  lifecycle: { auto_start: true, stop_timeout: 100ms }
- name: bounded
  kind: process.host
  host: { workers: 1 }
  mailbox: { limit: 3, overflow: fail }
  lifecycle: { auto_start: true }
- name: idle
  kind: process.lua
  source: |
    return { main = function() process.inbox():receive() end }
- name: identity
  kind: process.lua
  source: |
    return { main = function(...) return ... end }
- name: polite
  kind: process.lua
  source: |
    return { main = function()
      local e = process.events():receive()
      return e.kind .. ": " .. tostring(e.reason)
    end }
- name: full
  kind: process.lua
  source: |
    return { main = function() process.events():receive() end }
- name: drops_oldest
  kind: process.lua
  mailbox: { limit: 2, overflow: drop_oldest }
  source: |
    return { main = function(to)
      process.events():receive()
      local got, inbox = {}, process.inbox()
      for i = 1, 2 do got[i] = inbox:receive():payload():data() end
      return got
    end }
- name: bomb
  kind: process.lua
  source: |
    return { main = function(entry, host, n)
      local ok, kinds = 0, {}
      for _ = 1, n do
        local pid, err = process.spawn(entry, host)
        if pid then ok = ok + 1 else kinds[err:kind()] = (kinds[err:kind()] or 0) + 1 end
      end
      return { ok = ok, kinds = kinds }
    end }
- name: loop
  kind: process.lua
  source: |
    return { main = function() while true do end end }
- name: spawner
  kind: process.lua
  source: |
    return { main = function(host, loops)
      for _ = 1, loops do process.spawn("app:loop", host) end
      local n = 0
      for i = 1, 100000 do n = n + i end
      return { own = process.pid(), child = process.spawn("app:idle", host) }
    end }
- name: peer
  kind: process.lua
  source: |
    return { main = function(trap)
      process.set_options({ trap_links = trap or false })
      local events, inbox = process.events(), process.inbox()
      while true do
        local c = channel.select({ events:case_receive(), inbox:case_receive() })
        if c.channel == events then
          local e = c.value
          return { kind = e.kind, from = e.from, error = e.result and e.result.error and e.result.error:message() }
        end
        local m = c.value
        if m:topic() == "crash" then error("crash") end
        if m:topic() == "stop" then return "stopped" end
        process.send(m:from(), "echo", m:payload():data())
      end
    end }
- name: cross
  kind: process.lua
  source: file://cross.lua
- name: stuck
  kind: process.lua
  modules: [hash]
  source: |
    return { main = function()
      process.inbox():receive()
      return require("hash").sha256("x")
    end }
- name: linker
  kind: process.lua
  source: |
    return { main = function(target, how, to)
      local events = process.events()
      process[how](target)
      process.send(to, "ready")
      return events:receive().result.error:message()
    end }
- name: asks
  kind: process.lua
  source: |
    return { main = function(to)
      local inbox = process.inbox()
      process.send(to, "ready")
      inbox:receive()
      local _, err = process.spawn("app:idle", "app:one")
      return err and err:kind() or "spawned"
    end }
- name: svc
  kind: process.service
  process: idle
  host: one
  lifecycle: { auto_start: true, restart: { initial_delay: 1ms, jitter: 0 } }
"""

CROSS = """
local function main(host)
  local done = {}
  local events, inbox = process.events(), process.inbox()
  process.set_options({ trap_links = true })

  local shared = { 1 }
  local value = { a = shared, b = shared, text = "\\255", nested = { { { 5 } } } }
  value.self = value
  local peer = process.spawn("app:peer", host)
  process.send(peer, "x", value)
  local back = inbox:receive():payload():data()
  done.copied = back.a == back.b and back.self == back and back.nested[1][1][1] == 5 and back.text == "\\255"

  done.monitored = process.monitor(peer)
  local _, again = process.monitor(peer)
  done.twice = again:kind()
  process.send(peer, "stop")
  local e = events:receive()
  done.exit = e.kind == "pid.exit" and e.from == peer and e.result.value == "stopped"
  local sent, gone = process.send(peer, "late")
  done.gone = not sent and gone:kind()
  local _, err = process.monitor(peer)
  done.monitor_gone = err:kind()
  _, err = process.link(peer)
  done.link_gone = err:kind()

  local linked = process.spawn_linked_monitored("app:peer", host)
  process.send(linked, "crash")
  local first, second = events:receive(), events:receive()
  done.order = first.kind .. " " .. second.kind
  done.message = first.result.error:message():match("crash$")

  local named = process.with_options({}):with_name("far"):with_message("hello", 1):spawn("app:peer", host)
  done.named = process.registry.lookup("far") == named and inbox:receive():payload():data() == 1
  process.send("far", "y", 2)
  done.by_name = inbox:receive():payload():data() == 2
  done.same_name = process.with_options({}):with_name("far"):with_message("hello", 3):spawn("app:peer", host) == named
    and inbox:receive():payload():data() == 3
  process.monitor("far")
  process.terminate("far")
  done.terminated = events:receive().result.error:message()
  done.freed = process.registry.lookup("far") == nil

  local canceled = process.spawn_monitored("app:peer", host)
  process.cancel(canceled, "enough")
  done.canceled = events:receive().result.value.kind

  done.exec = process.exec("app:identity", host, { 1, { 2 } })[2][1]
  _, err = process.exec("app:nothing", host)
  done.exec_error = err:kind()
  for i = 1, 300 do
    if i == 1 then peer = process.spawn("app:peer", host) end
    process.send(peer, "n", i)
  end
  done.ordered = true
  for i = 1, 300 do done.ordered = done.ordered and inbox:receive():payload():data() == i end

  -- a process of the other side that is linked to this one and fails takes nobody along who traps
  done.unlinked = process.link(peer) and process.unlink(peer)
  process.terminate(peer)
  return done
end
return { main = main }
"""


@pytest.fixture
def folder(app: Callable[..., Path]) -> Path:
    return app(ENTRIES, cross=CROSS)


@pytest.fixture
def rt(folder: Path) -> Iterator[Runtime]:
    with started(folder) as running:
        yield running


def started(folder: Path, **options: Any) -> AbstractContextManager[Runtime]:
    return _started(folder, options)


@contextmanager
def _started(folder: Path, options: dict[str, Any]) -> Iterator[Runtime]:
    rt = Runtime.load(folder, **options)
    rt.start()
    try:
        yield rt
    finally:
        rt.stop(0)


def host_of(rt: Runtime, id: str) -> ProcessHost:
    return next(host for host in rt._machine.hosts() if host.id == id)


def vm_of(pid: str) -> int:
    parsed = Pid.parse(pid)
    assert parsed is not None
    return parsed.vm
