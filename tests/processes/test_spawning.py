"""process.spawn and its forms, the spawner, exec (spec lua-api.md §4.4-§4.6, processes.md §3.1)."""

from __future__ import annotations

import pytest

from actors.errors import ProcessError
from tests.processes.harness import HERE, World


def test_spawn_returns_before_the_child_has_run(world: World, place: str) -> None:
    world.process("child", "print('child')")
    world.main("local pid, err = process.spawn('app:child', (...)) print(type(pid), err == nil)", place)
    world.run()
    if place == HERE:
        assert world.printed() == ["string true", "child"]
    assert sorted(world.printed()) == ["child", "string true"]


def test_the_child_gets_the_arguments(world: World, place: str) -> None:
    world.process("child", "return {...}")
    assert world.main("return process.exec('app:child', (...), 1, 'two', {3})", place) == [1, "two", [3]]


@pytest.mark.parametrize("form", ["spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored", "exec"])
@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ("", "Invalid"),
        ("'app:child'", "Invalid"),
        ("nil, 'app:here'", "Invalid"),
        ("5, 'app:here'", "Invalid"),
        ("'app:child', 5", "Invalid"),
        ("'app:nothing', 'app:here'", "NotFound"),
        ("'app:nothing', 'app:there'", "NotFound"),
        ("'app:child', 'app:nowhere'", "NotFound"),
        ("'app:library', 'app:here'", "Invalid"),
        ("'app:library', 'app:there'", "Invalid"),
        ("'app:child', 'app:service'", "Invalid"),
        ("'app:child', 'app:stopped'", "Unavailable"),
        ("'app:child', 'app:stopping'", "Unavailable"),
        ("'app:child', 'node:control'", "Invalid"),
        ("'app:child', 'node:python'", "Invalid"),
        ("'app:methodless', 'app:here'", "NotFound"),
        ("'app:methodless', 'app:there'", "NotFound"),
        ("'app:raising', 'app:here'", "Internal"),
        ("'app:raising', 'app:there'", "Internal"),
    ],
)
def test_every_form_tells_what_is_wrong(world: World, form: str, arguments: str, kind: str) -> None:
    world.process("child", "return 1")
    world.script("app:library", "return {}", kind="library.lua")
    world.script("app:methodless", "return {other = print}")
    world.script("app:raising", "error('while loading')")
    world.board.set_host("app:service", "other")
    world.board.set_host("app:stopped", "stopped")
    world.board.set_host("app:stopping", "stopping")
    assert world.main(f"local v, err = process.{form}({arguments}) return {{v == nil, err:kind()}}") == [True, kind]
    assert world.main("return process.exec('app:child', 'app:here')") == 1


def test_load_errors_say_where_and_what(world: World, place: str) -> None:
    world.script("app:methodless", "return {other = print}")
    world.script("app:raising", "\nlocal t = nil\nreturn t.x")
    result = world.main(
        """
        local host = ...
        local _, a = process.spawn("app:methodless", host)
        local _, b = process.spawn("app:raising", host)
        return {a:message(), b:message()}
        """,
        place,
    )
    assert result[0].startswith('method "main" not found in module')
    assert result[1].startswith("failed to execute script")
    assert "app:raising:3: attempt to index local 't' (a nil value)" in result[1]


def test_exec_needs_the_full_id(world: World, place: str) -> None:
    assert world.main("local v, err = process.exec('child', (...)) return {v == nil, err:kind()}", place) == [
        True,
        "Invalid",
    ]


def test_exec_returns_the_error_of_the_child(world: World, place: str) -> None:
    world.process(
        "child", "return nil, errors.new{message = 'no', kind = 'Conflict', retryable = true, details = {a = 1}}"
    )
    assert world.main(
        "local v, err = process.exec('app:child', (...)) "
        "return {v == nil, err:message(), err:kind(), err:retryable(), err:details().a}",
        place,
    ) == [True, "no", "Conflict", True, 1]


def test_exec_blocks_only_its_coroutine(world: World, place: str) -> None:
    world.process("child", "time.sleep('5s') return 'slow'")
    assert world.main(
        """
        local host = ...
        local order, done = {}, channel.new()
        coroutine.spawn(function() local v = process.exec("app:child", host) order[#order + 1] = v done:send(1) end)
        time.sleep("1s")
        order[#order + 1] = "main"
        done:receive()
        return order
        """,
        place,
    ) == ["main", "slow"]


def test_the_child_of_exec_outlives_its_caller(world: World, place: str) -> None:
    world.process("child", "time.sleep('5s') print('finished')")
    pid = world.spawn(world.process("main", "process.exec('app:child', (...))"), place)
    world.run()
    world.terminate(pid)
    world.settle()
    assert world.printed() == ["finished"]


def test_monitor_and_link_are_in_place_when_spawn_returns(world: World, place: str) -> None:
    world.process("child", "error('at once', 0)")
    assert world.main(
        """
        process.set_options{trap_links = true}
        local pid = process.spawn_linked_monitored("app:child", (...))
        local events, kinds = process.events(), {}
        for i = 1, 2 do
          local e = events:receive()
          kinds[i] = e.kind .. " " .. tostring(e.from == pid) .. " " .. e.result.error:message()
        end
        return kinds
        """,
        place,
    ) == ["pid.exit true at once", "pid.link.down true at once"]


def test_children_live_on_when_their_spawner_ends(world: World, place: str) -> None:
    world.process("child", "time.sleep('5s') print('alive')")
    world.main("process.spawn('app:child', (...)) process.spawn_monitored('app:child', (...))", place)
    world.settle()
    assert world.printed() == ["alive", "alive"]


def test_a_linked_child_dies_with_its_spawner(world: World, place: str) -> None:
    world.process("child", "time.sleep('5s') print('alive')")
    with pytest.raises(ProcessError):
        world.main("process.spawn_linked('app:child', (...)) error('x')", place)
    world.settle()
    assert world.printed() == []


def test_nothing_blocks_at_the_top_level_of_a_script(world: World) -> None:
    for call in (
        "require('time').sleep('1s')",
        "process.spawn('app:child', 'app:here')",
        "process.spawn('app:child', 'app:there')",
        "process.exec('app:child', 'app:here')",
        "channel.new():receive()",
        "coroutine.spawn(print)",
        "process.inbox():receive()",
        "process.registry.register('early')",
        "process.monitor('x')",
        "process.link('x')",
        "process.upgrade()",
    ):
        world.script("app:early", f"{call} return {{main = function() end}}")
        world.process("child", "return 1")
        found = world.main(
            "local v, err = process.spawn('app:early', 'app:here') return {v == nil, err and err:message() or 'loaded'}"
        )
        assert found[0] is True, call
        assert "failed to execute script" in found[1], call
    assert world.board.names.lookup("early") is None


# the spawner


def test_a_spawner_is_unchanged_by_its_methods(world: World, place: str) -> None:
    world.process(
        "child",
        "local m = process.inbox():receive() return {m:topic(), m:payload():data(), process.registry.lookup('n') "
        "== process.pid()}",
    )
    assert world.main(
        """
        local host = ...
        local plain = process.with_context({})
        local named = plain:with_name("n")
        local both = named:with_message("first", 1):with_message("second", 2)
        local pid = both:spawn_monitored("app:child", host)
        local value = process.events():receive().result.value
        local idle = plain:spawn_monitored("app:child", host)
        process.send(idle, "own", 3)
        return {value, process.events():receive().result.value}
        """,
        place,
    ) == [["first", 1, True], ["own", 3, False]]


def test_startup_messages_come_first_and_in_order_from_the_spawner(world: World, place: str) -> None:
    world.process(
        "child",
        """
        local inbox, list = process.inbox(), {}
        for i = 1, 3 do
          local m = inbox:receive()
          list[i] = m:topic() .. " " .. tostring(m:payload():data().n) .. " " .. tostring(m:from() == (...))
        end
        return list
        """,
    )
    assert world.main(
        """
        local t = {n = 1}
        local spawner = process.with_options({}):with_message("a", t):with_message("b", {n = 2})
        t.n = 5
        local pid = spawner:spawn_monitored("app:child", (...), process.pid())
        process.send(pid, "c", {n = 3})
        return process.events():receive().result.value
        """,
        place,
    ) == ["a 1 true", "b 2 true", "c 3 true"]


def test_startup_messages_keep_shared_tables_and_several_payloads(world: World, place: str) -> None:
    world.process(
        "child",
        "local a, b = process.inbox():receive():payload(), nil local v = a[1]:data() return {v[1] == v[2], "
        "a[2]:data(), #a}",
    )
    assert world.main(
        """
        local s = {}
        process.with_context({}):with_message("a", {s, s}, "two"):spawn_monitored("app:child", (...))
        return process.events():receive().result.value
        """,
        place,
    ) == [True, "two", 2]


@pytest.mark.parametrize(
    "call",
    [
        "process.with_context({[1] = 2})",
        "process.with_context(nil)",
        "process.with_context('x')",
        "process.with_options({[1] = 2})",
        "process.with_context({}):with_name('')",
        "process.with_context({}):with_name(nil)",
        "process.with_context({}):with_name('{a:b|0x1}')",
        "process.with_context({}):with_message('@events')",
        "process.with_context({}):with_message(nil)",
        "process.with_context({}):with_message('t', print)",
        "process.with_context({}):with_actor(nil)",
        "process.with_context({}):with_scope({})",
        "process.with_context({}):spawn()",
        "process.with_context({}):spawn('app:child')",
        "process.with_context({}):spawn_linked(nil, 'app:here')",
        "process.with_context({f = print})",
        "process.with_context({}).with_name({}, 'x')",
    ],
)
def test_bad_input_of_a_spawner_raises(world: World, call: str) -> None:
    world.process("child", "return 1")
    result = world.main(
        f"local ok, err = pcall(function() local made = {call} return made end) return {{ok, tostring(err)}}"
    )
    assert result[0] is False
    assert "[tutela]" not in result[1]
    assert "app:main:1" in result[1]


def test_a_name_that_is_taken_gives_the_holder_and_its_messages(world: World, place: str) -> None:
    world.process(
        "holder",
        """
        local inbox, list = process.inbox(), {}
        for i = 1, 3 do local m = inbox:receive() list[i] = m:payload():data() .. tostring(m:from() == (...)) end
        return list
        """,
    )
    world.process("other", "print('never runs')")
    assert world.main(
        """
        local host = ...
        local first = process.with_context({}):with_name("one"):spawn("app:holder", host, process.pid())
        local again, err = process.with_context({}):with_name("one"):with_message("m", "a"):with_message("m", "b")
          :spawn_monitored("app:other", host, "ignored")
        local third = process.with_context({}):with_name("one"):with_message("m", "c"):spawn("app:no.such.entry", host)
        return {again == first, third == first, err == nil, process.events():receive().result.value}
        """,
        place,
    ) == [True, True, True, ["atrue", "btrue", "ctrue"]]
    assert world.printed() == []


def test_with_a_taken_name_monitor_and_link_are_set_on_the_holder(world: World, place: str) -> None:
    world.process("holder", "process.inbox():receive() error('held', 0)")
    assert world.main(
        """
        process.set_options{trap_links = true}
        local host = ...
        local s = process.with_context({}):with_name("one")
        local pid = s:spawn("app:holder", host)
        s:spawn_linked_monitored("app:holder", host)
        process.send(pid, "go")
        return {process.events():receive().kind, process.events():receive().kind}
        """,
        place,
    ) == ["pid.exit", "pid.link.down"]


def test_a_failed_start_gives_the_name_back(world: World, place: str) -> None:
    world.script("app:raising", "error('x')")
    world.process("child", "process.inbox():receive()")
    assert world.main(
        """
        local s = process.with_context({}):with_name("n")
        local _, err = s:spawn("app:raising", (...))
        local free = process.registry.lookup("n") == nil
        local pid = s:spawn("app:child", (...))
        return {free, process.registry.lookup("n") == pid}
        """,
        place,
    ) == [True, True]


def test_the_limit_of_a_host_is_told_and_free_places_are_used_again() -> None:
    world = World(limit=2)
    world.process("child", "process.inbox():receive()")
    assert world.main(
        """
        local a = process.spawn_monitored("app:child", "app:there")
        local b = process.spawn("app:child", "app:there")
        local c, err = process.spawn("app:child", "app:there")
        local here = process.spawn("app:child", "app:here")
        local d, problem = process.spawn("app:child", "app:here")
        local unknown, nothing = process.spawn("app:nothing", "app:here")
        process.send(a, "end")
        process.events():receive()
        local e = process.spawn("app:child", "app:there")
        return {c == nil, err:kind(), d == nil, problem:kind(), type(e), nothing:kind()}
        """
    ) == [True, "LimitExceeded", True, "LimitExceeded", "string", "NotFound"]


def test_a_process_of_a_host_with_several_vms_may_be_placed_on_any(world: World) -> None:
    many = World({HERE: 2}, limit=3)
    many.process("child", "process.inbox():receive()")
    result = many.main(
        """
        local pids, kinds = {}, {}
        for i = 1, 7 do
          local pid, err = process.spawn("app:child", "app:here")
          if pid then pids[#pids + 1] = pid else kinds[#kinds + 1] = err:kind() end
        end
        for i = 1, #pids do process.send(pids[i], "end") end
        return {#pids, kinds}
        """
    )
    assert result == [5, ["LimitExceeded", "LimitExceeded"]]


def test_pids_are_never_used_again(world: World) -> None:
    world.process("child", "return 1")
    result = world.main(
        """
        local seen, n = {}, 0
        for i = 1, 200 do
          local pid = process.spawn_monitored("app:child", "app:here")
          process.events():receive()
          if not seen[pid] then n = n + 1 end
          seen[pid] = true
        end
        return n
        """
    )
    assert result == 200
