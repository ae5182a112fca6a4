"""process.upgrade and OUTDATED (spec processes.md §9, lua-api.md §4.8)."""

from __future__ import annotations

import pytest

from actors.vm.wire import Input
from tests.processes.harness import World

NEW = """
local parent, a = ...
process.send(parent, "up", {pid = process.pid(), id = process.id(), a = a, options = process.get_options()})
"""


def test_an_upgrade_keeps_the_pid_and_runs_the_new_entry_with_the_arguments(world: World, place: str) -> None:
    world.process("new", NEW + " return 'new'")
    world.process(
        "old", "process.set_options{trap_links = true, upgradable = true} process.upgrade('app:new', ...) return 'old'"
    )
    assert world.main(
        """
        local pid = process.spawn_monitored("app:old", (...), process.pid(), {5})
        local up = process.inbox():receive():payload():data()
        return {up.pid == pid, up.id, up.a[1], up.options.trap_links, up.options.upgradable,
          process.events():receive().result.value}
        """,
        place,
    ) == [True, "app:new", 5, False, False, "new"]


def test_names_monitors_and_links_are_kept(world: World, place: str) -> None:
    world.process("new", "process.send((...), 'up') process.inbox():receive() error('after', 0)")
    world.process("old", "process.registry.register('n') process.upgrade('app:new', ...)")
    assert world.main(
        """
        process.set_options{trap_links = true}
        local pid = process.spawn_linked_monitored("app:old", (...), process.pid())
        process.inbox():receive()
        local kept = process.registry.lookup("n") == pid
        process.send("n", "go")
        local events = process.events()
        return {kept, events:receive().result.error:message(), events:receive().kind}
        """,
        place,
    ) == [True, "after", "pid.link.down"]


def test_without_an_id_the_newest_version_of_the_own_entry_runs(world: World) -> None:
    box = world.box()
    pid = world.spawn(
        world.process("self", "process.send((...), 'v', 1) process.inbox():receive() process.upgrade(nil, ...)"),
        box.pid,
    )
    world.run()
    world.process("self", "process.send((...), 'v', 2) process.inbox():receive()")
    world.send(pid, "go")
    world.run()
    assert [payload for _, _, payload in box.messages] == [[1], [2]]
    assert world.alive(pid)


def test_every_unread_message_is_kept_in_order(world: World, place: str) -> None:
    world.process(
        "new",
        """
        local parent = ...
        local inbox, list = process.inbox(), {}
        while true do
          local r = channel.select{inbox:case_receive(), default = true}
          if r.default then break end
          list[#list + 1] = r.value:topic() .. r.value:payload():data()
        end
        process.send(parent, "kept", list)
        """,
    )
    world.process(
        "old",
        """
        local parent = ...
        local listened, own = process.listen("l"), channel.new(10)
        subscribe("s", own)
        own:send({1, 2, 3, 4, 5})
        process.send(parent, "ready")
        local go = process.listen("go")
        go:receive()
        process.upgrade("app:new", parent)
        """,
    )
    assert world.main(
        """
        local pid = process.spawn("app:old", (...), process.pid())
        local inbox = process.inbox()
        inbox:receive()
        for i, topic in ipairs{"a", "l", "s", "a", "l", "l", "s", "b"} do process.send(pid, topic, i) end
        process.send(pid, "go")
        return inbox:receive():payload():data()
        """,
        place,
    ) == ["a1", "l2", "s3", "a4", "l5", "l6", "s7", "b8"]


def test_a_message_that_was_handed_to_a_coroutine_which_has_not_run_is_kept(world: World) -> None:
    world.process("new", "return process.inbox():receive():payload():data()")
    world.process(
        "old",
        """
        local inbox = process.inbox()
        coroutine.spawn(function() local m = inbox:receive() print("read") end)
        table.sort({2, 1}, function() process.send(process.pid(), "t", 5) return false end)
        process.upgrade("app:new")
        """,
    )
    assert world.main("return process.exec('app:old', 'app:here')") == 5
    assert world.printed() == []


def test_events_are_kept(world: World, place: str) -> None:
    world.process("new", "return process.events():receive().reason")
    world.process("old", "process.events() process.inbox():receive() process.upgrade('app:new')")
    assert (
        world.main(
            """
        local pid = process.spawn_monitored("app:old", (...))
        time.sleep("1s")
        process.cancel(pid, "kept")
        process.send(pid, "go")
        return process.events():receive().result.value
        """,
            place,
        )
        == "kept"
    )


def test_coroutines_and_timers_of_the_old_code_are_gone(world: World) -> None:
    world.process("slow", "time.sleep('2s') return 'answer'")
    world.process("new", "time.sleep('10s') return 'new'")
    world.process(
        "old",
        """
        coroutine.spawn(function() time.sleep("1s") print("sleeper") end)
        coroutine.spawn(function() process.exec("app:slow", "app:here") print("exec here") end)
        coroutine.spawn(function() process.exec("app:slow", "app:there") print("exec there") end)
        coroutine.spawn(function() local ch = time.after("1s") ch:receive() print("timer") end)
        time.sleep("1ms")
        process.upgrade("app:new")
        """,
    )
    assert world.main("return process.exec('app:old', 'app:here')") == "new"
    world.settle()
    assert world.printed() == []


def test_a_wait_of_the_old_main_does_not_wake_the_new_one(world: World) -> None:
    world.process("slow", "time.sleep('2s') return 'answer'")
    world.process(
        "new", "local ch = channel.new() time.after('10s') return tostring(process.inbox():receive():topic())"
    )
    world.process(
        "old",
        """
        coroutine.spawn(function() time.sleep("1s") process.upgrade("app:new") end)
        process.exec("app:slow", (...))
        print("old main")
        """,
    )
    for host in ("app:here", "app:there"):
        pid = world.spawn("app:old", host)
        box = world.box()
        box.monitor(pid)
        world.advance(5)
        world.send(pid, "only this")
        world.run()
        assert box.events[0].result == {"value": "only this"}
    assert world.printed() == []


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ("'app:nothing'", "NotFound"),
        ("'app:library'", "Invalid"),
        ("'app:methodless'", "NotFound"),
        ("'app:raising'", "Internal"),
        ("'app:child', print", "Invalid"),
    ],
)
def test_a_failed_upgrade_ends_the_process(world: World, place: str, arguments: str, kind: str) -> None:
    world.process("child", "return 1")
    world.script("app:library", "return {}", kind="library.lua")
    world.script("app:methodless", "return {}")
    world.script("app:raising", "error('x')")
    world.process("old", f"pcall(function() process.upgrade({arguments}) end) return 'went on'")
    result = world.main(
        """
        process.spawn_monitored("app:old", (...))
        local r = process.events():receive().result
        return {r.value or "none", r.error and r.error:message(), r.error and r.error:kind()}
        """,
        place,
    )
    assert result[0] == "none"
    assert result[1].startswith("upgrade: ")
    assert result[2] == kind


def test_an_upgrade_can_come_from_any_coroutine(world: World) -> None:
    world.process("new", "return 'new'")
    world.process(
        "old",
        "coroutine.spawn(function() coroutine.wrap(function() pcall(process.upgrade, 'app:new') end)() end) "
        "process.inbox():receive()",
    )
    assert world.main("return process.exec('app:old', 'app:here')") == "new"


def test_a_link_that_broke_while_it_was_trapped_does_not_kill_the_new_code(world: World) -> None:
    world.process("child", "process.inbox():receive()")
    world.process("new", "return process.events():receive().kind")
    world.process(
        "old",
        "process.set_options{trap_links = true} local pid = process.spawn_linked('app:child', 'app:here') "
        "process.terminate(pid) process.upgrade('app:new')",
    )
    assert world.main("return process.exec('app:old', 'app:here')") == "pid.link.down"


def test_upgrading_again_and_again_leaves_nothing_behind(world: World) -> None:
    world.process(
        "again",
        "local n = ... process.inbox() process.listen('t') coroutine.spawn(function() time.sleep('1h') end) "
        "if n == 0 then return 'done' end process.upgrade(nil, n - 1)",
    )
    assert world.exec("app:again", 500) == "done"


# OUTDATED


def changed(world: World, *ids: str) -> None:
    world.board.tell_all([Input.INVALIDATE, list(ids)])


def test_an_upgradable_process_hears_of_changes_of_its_code(world: World) -> None:
    world.script("app:deep", "return {}", kind="library.lua")
    world.script("app:lib", "require('deep') return {}", kind="library.lua", imports={"deep": "app:deep"})
    world.script("app:other", "return {}", kind="library.lua")
    world.process(
        "child",
        """
        process.set_options{upgradable = true}
        local box = ...
        while true do process.send(box, "event", process.events():receive()) end
        """,
        imports={"lib": "app:lib"},
    )
    world.process("plain", "process.send((...), 'event', process.events():receive())")
    box = world.box()
    world.spawn("app:child", box.pid)
    world.spawn("app:plain", box.pid)
    world.run()
    for ids in (["app:child"], ["app:other"], ["app:deep", "app:other"], ["app:lib", "app:child"]):
        changed(world, *ids)
        world.run()
    assert [payload[0] for _, _, payload in box.messages] == [
        {"kind": "pid.outdated", "sources": ["app:child"]},
        {"kind": "pid.outdated", "sources": ["app:deep"]},
        {"kind": "pid.outdated", "sources": ["app:child", "app:lib"]},
    ]


def test_changes_that_were_not_read_yet_merge(world: World) -> None:
    world.script("app:lib", "return {}", kind="library.lua")
    world.process(
        "child",
        "process.set_options{upgradable = true} time.sleep('5s') local e = process.events():receive() "
        "local r = channel.select{process.events():case_receive(), default = true} table.sort(e.sources) return "
        "{e.sources, r.default}",
        imports={"lib": "app:lib"},
    )
    box = world.box()
    box.monitor(world.spawn("app:child"))
    world.run()
    for id in ("app:child", "app:lib", "app:child"):
        changed(world, id)
    world.settle()
    assert box.events[0].result == {"value": [["app:child", "app:lib"], True]}
