"""The registry in motion: what an apply at run time starts, changes and stops (spec registry.md §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from actors import ProcessError, Runtime
from registry import ChangeSet, Entry, FaultsError, RegistryError

ENTRIES = """
- name: processes
  kind: process.host
  host: { workers: 2 }
  lifecycle: { auto_start: true, stop_timeout: 100ms }
- name: library
  kind: library.lua
  source: |
    return { version = function() return 1 end }
- name: version
  kind: function.lua
  method: version
  source: |
    return { version = function() return 1 end }
- name: by_library
  kind: function.lua
  method: version
  imports: { library: app:library }
  source: |
    return { version = function() return require("library").version() end }
- name: old
  kind: process.lua
  imports: { library: app:library }
  source: |
    return { main = function()
      local events, inbox = process.events(), process.inbox()
      while true do
        local c = channel.select({ events:case_receive(), inbox:case_receive() })
        if c.channel == events then return "bye" end
        process.send(c.value:payload():data(), "version", { own = 1, library = require("library").version() })
      end
    end }
- name: svc
  kind: process.service
  process: old
  host: processes
  lifecycle: { auto_start: true, stop_timeout: 100ms }
"""


@pytest.fixture
def rt(app: Callable[..., Path]) -> Iterator[Runtime]:
    with Runtime.load(app(ENTRIES)) as running:
        yield running


def changed(rt: Runtime, name: str, **data: Any) -> Entry:
    entry = rt.registry.get(f"app:{name}")
    return Entry(entry.id, entry.kind, entry.meta, {**thaw(entry.data), **data})


def thaw(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    return [thaw(item) for item in value] if isinstance(value, list | tuple) else value


def apply(rt: Runtime, changes: ChangeSet) -> None:
    """Apply and wait until what it started and stopped is decided: services are asked behind it."""
    rt.registry.apply(changes)
    rt.start_service("app:processes")


def source_with(rt: Runtime, name: str, version: int) -> str:
    source: str = rt.registry.get(f"app:{name}").data["source"]
    return source.replace("return 1 end", f"return {version} end").replace("own = 1", f"own = {version}")


def test_what_runs_keeps_its_code_and_what_starts_gets_the_new(rt: Runtime) -> None:
    box = rt.mailbox()
    before = rt.spawn("app:old", "app:processes")
    assert (rt.call("app:version"), rt.call("app:by_library")) == (1, 1)
    apply(
        rt,
        ChangeSet()
        .update(changed(rt, "library", source=source_with(rt, "library", 2)))
        .update(changed(rt, "version", source=source_with(rt, "version", 2)))
        .update(changed(rt, "old", source=source_with(rt, "old", 2))),
    )
    assert (rt.call("app:version"), rt.call("app:by_library")) == (2, 2)
    after = rt.spawn("app:old", "app:processes")
    for pid, version in ((before, 1), (after, 2)):
        rt.send(pid, "?", box.pid)
        assert box.receive().payload == {"own": version, "library": version}
    rt.registry.rollback()
    assert (rt.call("app:version"), rt.call("app:by_library")) == (1, 1)


def test_new_entries_can_be_used_and_deleted_ones_not(rt: Runtime) -> None:
    new = Entry("app:new", "function.lua", {}, {"method": "f", "source": "return { f = function() return 7 end }"})
    with pytest.raises(ProcessError, match="app:new") as unknown:
        rt.call("app:new")
    assert unknown.value.kind == "NotFound"
    apply(rt, ChangeSet().create(new))
    assert rt.call("app:new") == 7
    apply(rt, ChangeSet().delete("app:new"))
    with pytest.raises(ProcessError) as gone:
        rt.call("app:new")
    assert gone.value.kind == "NotFound"


def test_a_library_that_others_import_is_not_deleted(rt: Runtime) -> None:
    with pytest.raises(RegistryError, match="library"):
        rt.registry.apply(ChangeSet().delete("app:library"))
    assert rt.call("app:by_library") == 1


def test_services_come_and_go_with_their_entries(rt: Runtime) -> None:
    service = changed(rt, "svc")
    two = Entry("app:two", service.kind, service.meta, thaw(service.data))
    version = rt.registry.version
    apply(rt, ChangeSet().create(two))
    rt.start_service("app:two")
    assert statuses(rt)["app:two"] == "running"
    assert sum(process.entry == "app:old" for process in rt.processes()) == 2
    rt.registry.rollback()
    rt.start_service("app:svc")
    wait_until_gone(rt, "app:two")
    rt.registry.apply_version(version + 1)
    rt.start_service("app:two")
    assert statuses(rt)["app:two"] == "running"


def test_an_update_of_a_service_counts_from_its_next_start(rt: Runtime) -> None:
    (before,) = [process.pid for process in rt.processes() if process.entry == "app:old"]
    other = Entry(
        "app:other", "process.lua", {}, {"source": "return { main = function() process.events():receive() end }"}
    )
    apply(rt, ChangeSet().create(other).update(changed(rt, "svc", process="app:other")))
    assert [process.pid for process in rt.processes()] == [before]
    rt.stop_service("app:svc")
    rt.start_service("app:svc")
    assert [process.entry for process in rt.processes()] == ["app:other"]


def test_a_host_comes_and_goes(rt: Runtime) -> None:
    host = changed(rt, "processes")
    second = Entry("app:second", host.kind, host.meta, thaw(host.data))
    apply(rt, ChangeSet().create(second))
    rt.start_service("app:second")
    pid = rt.spawn("app:old", "app:second")
    box = rt.mailbox()
    box.monitor(pid)
    apply(rt, ChangeSet().delete("app:second"))
    assert box.events.receive().result == {"value": "bye"}
    with pytest.raises(ProcessError) as gone:
        rt.spawn("app:old", "app:second")
    assert gone.value.kind == "NotFound"


def test_what_cannot_be_changed_in_place_is_refused(rt: Runtime) -> None:
    with pytest.raises(RegistryError, match=r"host\.workers"):
        rt.registry.apply(ChangeSet().update(changed(rt, "processes", host={"workers": 2, "max_processes": 5})))
    assert rt.call("app:version") == 1


def test_bad_lua_is_refused_and_nothing_changes(rt: Runtime) -> None:
    version = rt.registry.version
    with pytest.raises((FaultsError, RegistryError), match=r"app:version"):
        rt.registry.apply(
            ChangeSet()
            .update(changed(rt, "library", source=source_with(rt, "library", 5)))
            .update(changed(rt, "version", source="return {{"))
        )
    assert rt.registry.version == version
    assert (rt.call("app:version"), rt.call("app:by_library")) == (1, 1)


def statuses(rt: Runtime) -> dict[str, str]:
    return {service.id: service.status.value for service in rt.services()}


def wait_until_gone(rt: Runtime, id: str) -> None:
    """The supervisor takes an apply's part in turn; ask it until it has."""
    while id in statuses(rt):
        rt.start_service("app:processes")
