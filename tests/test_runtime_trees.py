"""Trees of supervisors declared in YAML, over Lua processes (spec supervision.md §9): what OTP's own tests ask of them
that only real processes can show."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors import Runtime, ServiceChanged, ServiceState

ENTRIES = """
- { name: processes, kind: process.host, host: { workers: 1 }, lifecycle: { auto_start: true } }
- name: child
  kind: process.lua
  source: |
    return { main = function(name)
      local events, inbox = process.events(), process.inbox()
      process.registry.register(name)
      while true do
        local chosen = channel.select({ events:case_receive(), inbox:case_receive() })
        if chosen.channel == events then return end
        if chosen.value:topic() == "crash" then error("poison") end
        if chosen.value:topic() == "end" then return end
      end
    end }
- name: loner
  kind: process.lua
  source: |
    return { main = function(name)
      local events = process.events()
      process.registry.register(name)
      local by = events:receive().from
      process.unlink(by)
      process.unmonitor(by)
      process.inbox():receive()
    end }
- { name: db, kind: process.service, process: child, host: processes, input: [db] }
- { name: cache, kind: process.service, process: child, host: processes, input: [cache] }
- { name: web, kind: process.service, process: child, host: processes, input: [web] }
- { name: job, kind: process.service, process: child, host: processes, input: [job] }
- name: alone
  kind: process.service
  process: loner
  host: processes
  input: [alone]
  lifecycle: { stop_timeout: 100ms }
- name: inner
  kind: supervisor
  strategy: one_for_all
  intensity: 1
  period: 1h
  children: [cache, { id: web, restart: transient }]
- name: outer
  kind: supervisor
  strategy: rest_for_one
  intensity: 1
  period: 1h
  children: [db, inner, { id: job, restart: temporary }]
  lifecycle: { auto_start: true, restart: { initial_delay: 1ms, max_attempts: 2 } }
- { name: quiet, kind: supervisor, children: [alone], lifecycle: { auto_start: true } }
"""
CHILDREN = ("db", "cache", "web", "job")


class Tree:
    """A running app, and the changes of its services to be waited for."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self._changes: queue.Queue[ServiceState] = queue.Queue()
        rt.watch(lambda event: self._changes.put(event.state) if isinstance(event, ServiceChanged) else None)

    def wait_for(self, id: str, status: str) -> ServiceState:
        while True:
            state = self._changes.get()
            if (state.id, state.status.value) == (f"app:{id}", status):
                return state

    def named(self, name: str) -> str:
        """Return the PID of a name; a process that has just started registers it with its first slice."""
        while True:
            pid = self.rt.lookup(name)
            if pid is not None:
                return pid
            self.rt.processes()

    def pids(self) -> list[str]:
        return [self.named(name) for name in CHILDREN]


@pytest.fixture
def tree(app: Callable[..., Path]) -> Iterator[Tree]:
    with Runtime.load(app(ENTRIES)) as rt:
        yield Tree(rt)


def test_a_tree_in_yaml_starts_all_its_levels(tree: Tree) -> None:
    assert len(set(tree.pids())) == 4
    assert {state.status.value for state in tree.rt.services()} == {"running"}


def test_a_crash_in_an_inner_tree_restarts_its_children_and_nobody_else(tree: Tree) -> None:
    db, cache, web, job = tree.pids()
    tree.rt.send("cache", "crash")
    tree.wait_for("web", "running")
    after = tree.pids()
    assert (after[0], after[3]) == (db, job)
    assert not {cache, web} & set(after)


def test_a_transient_child_that_ends_normally_stays_down(tree: Tree) -> None:
    db, cache, _, job = tree.pids()
    tree.rt.send("web", "end")
    tree.wait_for("web", "exited")
    assert tree.rt.lookup("web") is None
    assert [tree.rt.lookup(name) for name in ("db", "cache", "job")] == [db, cache, job]


def test_an_inner_tree_that_gives_up_is_an_abnormal_end_for_the_outer_one(tree: Tree) -> None:
    db = tree.named("db")
    tree.pids()
    tree.rt.send("cache", "crash")
    tree.wait_for("web", "running")
    tree.rt.send(tree.named("cache"), "crash")
    tree.wait_for("inner", "failed")
    tree.wait_for("inner", "running")
    assert tree.named("db") == db  # it stands before the inner tree
    assert tree.named("cache") != tree.named("web")
    assert tree.rt.lookup("job") is None  # a temporary child is not restarted, with a group neither
    assert {state.id: state.status.value for state in tree.rt.services()}["app:outer"] == "running"


def test_too_many_restarts_go_up_to_the_top_and_its_lifecycle_decides(tree: Tree) -> None:
    tree.rt.send(tree.named("db"), "crash")
    tree.wait_for("inner", "running")
    tree.rt.send(tree.named("db"), "crash")
    state = tree.wait_for("outer", "failed")
    assert "more than 1 restart within 1h" in str(state.details)
    tree.wait_for("outer", "running")
    assert len(set(tree.pids())) == 4


def test_a_child_that_unlinks_is_stopped_all_the_same(tree: Tree) -> None:
    alone = tree.named("alone")
    tree.rt.stop_service("app:quiet")
    assert alone not in {process.pid for process in tree.rt.processes()}
    states = {state.id: state for state in tree.rt.services()}
    assert (states["app:quiet"].status.value, states["app:alone"].status.value) == ("stopped", "stopped")
    assert states["app:alone"].details == "killed after stop timeout"
