"""The registry in motion: what change sets start, update and stop in a running app (spec registry.md §6, §10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry import ChangeSet, FaultsError, RegistryError
from tests.modules.app import HERE, App, host, process

WORKER = """
local name = ...
process.registry.register(name)
local events = process.events()
while events:receive().kind ~= process.event.CANCEL do end
"""


def service(name: str, *args: Any, process: str = "app:worker", host: str = HERE, **lifecycle: Any) -> dict[str, Any]:
    lifecycle = {"auto_start": True, **lifecycle}
    data = {"process": process, "host": host, "input": list(args or [name]), "lifecycle": lifecycle}
    return {"id": f"app:{name}", "kind": "process.service", "data": data}


def tree(name: str, *children: str, **data: Any) -> dict[str, Any]:
    data = {"children": list(children), "lifecycle": {"auto_start": True}, **data}
    return {"id": f"app:{name}", "kind": "supervisor", "data": data}


def statuses(app: App) -> dict[str, str]:
    app.clock.settle()
    return {state.id.removeprefix("app:"): str(state.status) for state in app.rt.services()}


@pytest.fixture
def app() -> Iterator[App]:
    with App(process("worker", WORKER), process("broken", "error('no')"), service("first")) as running:
        yield running


def test_a_new_service_starts_after_what_it_needs_from_the_same_set(app: App) -> None:
    changed: list[str] = []
    end = app.rt.watch(
        lambda event: changed.append(f"{event.state.id} {event.state.status}") if hasattr(event, "state") else None
    )
    app.registry.apply(
        ChangeSet().create(service("late", host="app:new", requires=["app:first"])).create(host("app:new"))
    )
    assert statuses(app)["late"] == "running"
    assert app.rt.lookup("late") is not None
    end()
    assert changed.index("app:new running") < changed.index("app:late running")


def test_a_deleted_service_stops_and_its_process_ends(app: App) -> None:
    assert app.rt.lookup("first") is not None
    app.registry.apply(ChangeSet().delete("app:first"))
    assert "first" not in statuses(app)
    assert app.rt.lookup("first") is None


def test_an_entry_that_is_created_and_deleted_in_haste_does_not_stay(app: App) -> None:
    with app.clock.hold():
        app.registry.apply(ChangeSet().create(service("brief")))
        app.registry.apply(ChangeSet().delete("app:brief"))
    assert "brief" not in statuses(app)
    assert app.rt.lookup("brief") is None


def test_an_update_takes_effect_at_the_next_start(app: App) -> None:
    pid = app.rt.lookup("first")
    app.registry.apply(ChangeSet().update(service("first", "renamed")))
    app.clock.settle()
    assert app.rt.lookup("first") == pid
    app.rt.stop_service("app:first")
    app.rt.start_service("app:first")
    app.clock.settle()
    assert (app.rt.lookup("first"), app.rt.lookup("renamed") is not None) == (None, True)


def test_auto_start_turned_on_starts_a_service(app: App) -> None:
    app.registry.apply(ChangeSet().create(service("quiet", auto_start=False)))
    assert statuses(app)["quiet"] == "unknown"
    app.registry.apply(ChangeSet().update(service("quiet")))
    assert statuses(app)["quiet"] == "running"


def test_a_change_of_kind_in_one_set_replaces_the_service(app: App) -> None:
    app.registry.apply(ChangeSet().delete("app:first").create({"id": "app:first", "kind": "pg.scope", "data": {}}))
    assert statuses(app)["first"] == "unknown"
    assert app.rt.lookup("first") is None


def test_what_a_running_service_requires_cannot_be_deleted_and_the_rest_of_the_set_is_undone(app: App) -> None:
    app.registry.apply(ChangeSet().create(service("needy", requires=["app:first"])))
    assert statuses(app)["needy"] == "running"
    with pytest.raises(RegistryError) as caught:
        app.registry.apply(
            ChangeSet().delete("app:first").create(service("other")).update(process("worker", "return 1"))
        )
    assert caught.value.kind == "Conflict"
    assert caught.value.details == {"id": "app:first", "op": "entry.delete", "cause": caught.value.message}
    shown = statuses(app)
    assert (shown["first"], shown["needy"], "other" in shown) == ("running", "running", False)
    assert "register" in app.registry.get("app:worker").data["source"]


def test_dependents_may_go_with_what_they_require(app: App) -> None:
    app.registry.apply(ChangeSet().create(service("needy", requires=["app:first"])))
    assert statuses(app)["needy"] == "running"
    app.registry.apply(ChangeSet().delete("app:first").delete("app:needy"))
    assert {"first", "needy"} & statuses(app).keys() == set()


def test_a_refused_delete_does_not_count_for_the_next_set(app: App) -> None:
    app.registry.apply(ChangeSet().create(service("needy", requires=["app:first"])))
    app.clock.settle()
    for _ in range(2):
        with pytest.raises(RegistryError, match="requires it"):
            app.registry.apply(ChangeSet().delete("app:first"))
    bad = {"id": "app:bad", "kind": "process.lua", "data": {"source": "return return"}}
    with pytest.raises(FaultsError):
        app.registry.apply(ChangeSet().delete("app:needy").create(bad))
    with pytest.raises(RegistryError, match="requires it"):
        app.registry.apply(ChangeSet().delete("app:first"))


def test_a_library_in_use_can_only_go_with_its_users(app: App) -> None:
    library = {"id": "app:lib", "kind": "library.lua", "data": {"source": "return {n = 1}"}}
    user = process("user", "return lib.n", imports={"lib": "app:lib"})
    app.registry.apply(ChangeSet().create(user).create(library))
    with pytest.raises(RegistryError) as caught:
        app.registry.apply(ChangeSet().delete("app:lib"))
    assert caught.value.kind == "Conflict"
    assert app.rt.exec("app:user", HERE) == 1
    app.registry.apply(ChangeSet().delete("app:lib").delete("app:user"))
    assert "app:lib" not in app.registry


def test_bad_lua_refuses_the_whole_set(app: App) -> None:
    bad = {"id": "app:bad", "kind": "process.lua", "data": {"source": "return return"}}
    version = app.registry.version
    with pytest.raises(FaultsError, match="app:bad"):
        app.registry.apply(ChangeSet().create(service("other")).create(bad).delete("app:first"))
    assert (app.registry.version, statuses(app)["first"], "other" in statuses(app)) == (version, "running", False)


def test_a_service_that_fails_to_start_does_not_refuse_the_set(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.registry.apply(
        ChangeSet()
        .create(service("lost", process="app:nothing"))
        .create(service("dies", process="app:broken", restart={"max_attempts": 1, "initial_delay": "1s"}))
        .create(service("fine"))
    )
    app.clock.advance(5.0)
    shown = statuses(app)
    assert shown["fine"] == "running"
    assert shown["lost"] in ("failed", "exited")
    assert shown["dies"] in ("failed", "exited")
    assert "app:nothing" in caplog.text


def test_updated_code_is_used_by_the_next_process_only(app: App) -> None:
    app.registry.apply(ChangeSet().create(process("code", "process.inbox():receive() return 'old'")))
    box = app.rt.mailbox()
    old = app.rt.spawn("app:code", HERE)
    box.monitor(old)
    app.registry.apply(ChangeSet().update(process("code", "return 'new'")))
    assert app.rt.exec("app:code", HERE) == "new"
    app.rt.send(old, "go")
    assert box.events.receive(timeout=5).result == {"value": "old"}
    box.close()


def test_an_upgradable_process_hears_once_of_all_changes_of_its_code(app: App) -> None:
    library = {"id": "app:lib", "kind": "library.lua", "data": {"source": "return 'old'"}}
    body = """
        process.set_options({upgradable = true})
        process.send(..., "ready")
        process.inbox():receive()
        local e = process.events():receive()
        process.upgrade(nil, {kind = e.kind, sources = e.sources, lib = lib})
        """
    entry = process("up", body, imports={"lib": "app:lib"})
    app.registry.apply(ChangeSet().create(library).create(entry))
    box = app.rt.mailbox()
    pid = app.rt.spawn("app:up", HERE, box.pid)
    box.receive(timeout=5)
    box.monitor(pid)
    app.registry.apply(ChangeSet().create(service("unrelated")))
    app.registry.apply(ChangeSet().update({**library, "data": {"source": "return 'new'"}}))
    new = process("up", "local before = ... return {before = before, lib = lib}", imports={"lib": "app:lib"})
    app.registry.apply(ChangeSet().update(new))
    app.rt.send(pid, "go")
    value = box.events.receive(timeout=5).result["value"]
    assert value["lib"] == "new"
    assert value["before"]["kind"] == "pid.outdated"
    assert value["before"]["lib"] == "old"
    assert sorted(value["before"]["sources"]) == ["app:lib", "app:up"]
    box.close()


def test_children_added_to_a_tree_start_and_those_taken_out_stop(app: App) -> None:
    app.registry.apply(ChangeSet().create(service("a")).create(service("b")).create(tree("top", "app:a")))
    assert {statuses(app)[id] for id in ("top", "a", "b")} == {"running"}
    app.registry.apply(ChangeSet().create(service("c")).update(tree("top", "app:a", "app:c")))
    assert statuses(app)["c"] == "running"
    pid = app.rt.lookup("a")
    app.registry.apply(ChangeSet().delete("app:c").update(tree("top", "app:a")))
    assert "c" not in statuses(app)
    assert app.rt.lookup("c") is None
    assert app.rt.lookup("a") == pid


def test_a_service_that_a_tree_takes_over_runs_once(app: App) -> None:
    before = app.rt.lookup("first")
    app.registry.apply(ChangeSet().create(tree("top", "app:first")))
    shown = statuses(app)
    assert (shown["top"], shown["first"]) == ("running", "running")
    assert app.rt.lookup("first") not in (None, before)
    assert [info.pid for info in app.rt.processes() if info.entry == "app:worker"] == [app.rt.lookup("first")]
    app.rt.stop_service("app:top")
    assert app.rt.lookup("first") is None


def test_a_child_whose_tree_lets_go_of_it_runs_on_its_own(app: App) -> None:
    app.registry.apply(ChangeSet().create(tree("top", "app:first")))
    app.clock.settle()
    app.registry.apply(ChangeSet().delete("app:top"))
    assert statuses(app)["first"] == "running"
    assert "top" not in statuses(app)
    app.rt.stop_service("app:first")
    assert app.rt.lookup("first") is None


def test_a_change_deep_in_a_tree_arrives(app: App) -> None:
    app.registry.apply(
        ChangeSet().create(service("leaf")).create(tree("inner", "app:leaf")).create(tree("outer", "app:inner"))
    )
    assert statuses(app)["leaf"] == "running"
    app.registry.apply(ChangeSet().update(service("leaf", "other")))
    app.clock.settle()
    pid = app.rt.lookup("leaf")
    assert pid is not None
    app.rt.terminate(pid)
    app.clock.advance(1.0)
    assert app.rt.lookup("other") is not None


def test_going_back_undoes_what_a_version_started_and_stopped(app: App) -> None:
    version = app.registry.version
    app.registry.apply(ChangeSet().create(service("extra")).delete("app:first"))
    after = app.registry.version
    assert statuses(app)["extra"] == "running"
    app.registry.apply_version(version)
    shown = statuses(app)
    assert (shown["first"], "extra" in shown) == ("running", False)
    app.registry.apply_version(after)
    shown = statuses(app)
    assert ("first" in shown, shown["extra"]) == (False, "running")


def test_hosts_can_be_deleted_and_made_again(app: App) -> None:
    app.registry.apply(ChangeSet().delete("app:there"))
    app.clock.settle()
    from actors import ProcessError

    with pytest.raises(ProcessError) as caught:
        app.rt.spawn("app:worker", "app:there", "x")
    assert caught.value.kind == "NotFound"
    app.registry.apply(ChangeSet().create(host("app:there")))
    assert statuses(app)["there"] == "running"
    assert app.rt.spawn("app:worker", "app:there", "x")


def test_a_changed_variable_holds_for_the_next_read(app: App) -> None:
    storage = {"id": "app:values", "kind": "env.storage.static", "data": {"values": {"COLOUR": "red"}}}
    variable = {"id": "app:colour", "kind": "env.variable", "data": {"storage": "app:values", "variable": "COLOUR"}}
    app.registry.apply(ChangeSet().create(variable).create(storage))
    assert app.run('return env.get("COLOUR")') == "red"
    app.registry.apply(ChangeSet().update({**storage, "data": {"values": {"COLOUR": "blue"}}}))
    assert app.run('return env.get("COLOUR")') == "blue"


def test_an_observer_on_the_bus_sees_a_refused_set_end_in_a_discard(app: App) -> None:
    seen: list[tuple[str, str]] = []
    end = app.rt.bus.watch("registry", "*", lambda event: seen.append((event.kind, event.path)))
    app.registry.apply(ChangeSet().create(service("needy", requires=["app:first"])))
    app.clock.settle()
    seen.clear()
    with pytest.raises(RegistryError):
        app.registry.apply(ChangeSet().delete("app:first"))
    end()
    kinds = [kind for kind, _ in seen]
    assert kinds == ["registry.begin", "entry.delete", "entry.reject", "registry.discard"]
