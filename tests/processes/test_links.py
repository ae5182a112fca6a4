"""Monitors and links (spec processes.md §6, lua-api.md §4.5)."""

from __future__ import annotations

import pytest

from actors.errors import ProcessError
from tests.processes.harness import HERE, THERE, World

WAIT = "local v = process.inbox():receive():payload():data() if v == 'fail' then error('failed', 0) end return v"


def test_a_monitor_is_one_way(world: World, place: str) -> None:
    world.process("watched", "process.inbox():receive()")
    world.process("watcher", "process.monitor((...)) error('watcher failed')")
    assert (
        world.main(
            """
        local host = ...
        local pid = process.spawn_monitored("app:watched", host)
        process.exec("app:watcher", host, pid)
        time.sleep("1s")
        return process.send(pid, "still there")
        """,
            place,
        )
        is True
    )


def test_monitoring_twice_already_exists(world: World, place: str) -> None:
    world.process("child", WAIT)
    assert world.main(
        """
        local pid = process.spawn("app:child", (...))
        local a, b = process.monitor(pid)
        local c, d = process.monitor(pid)
        return {a, b == nil, c == nil, d:kind()}
        """,
        place,
    ) == [True, True, True, "AlreadyExists"]


def test_monitor_by_name(world: World, place: str) -> None:
    world.process(
        "child",
        "process.registry.register('worker') process.send((...), 'up') return process.inbox():receive():topic()",
    )
    assert world.main(
        """
        local pid = process.spawn("app:child", (...), process.pid())
        process.inbox():receive()
        process.monitor("worker")
        local twice, err = process.monitor(pid)
        process.send("worker", "end")
        local e = process.events():receive()
        return {e.from == pid, e.result.value, err:kind()}
        """,
        place,
    ) == [True, "end", "AlreadyExists"]


@pytest.mark.parametrize("call", ["monitor", "link"])
def test_the_dead_and_the_unknown_are_not_found(world: World, place: str, call: str) -> None:
    world.process("child", "return 1")
    assert world.main(
        f"""
        local pid = process.spawn_monitored("app:child", (...))
        process.events():receive()
        local a, err = process.{call}(pid)
        local b, problem = process.{call}("nobody")
        return {{a == nil, err:kind(), b == nil, problem:kind()}}
        """,
        place,
    ) == [True, "NotFound", True, "NotFound"]


@pytest.mark.parametrize("call", ["monitor", "link"])
def test_oneself_is_invalid(world: World, call: str) -> None:
    assert world.main(f"local a, err = process.{call}(process.pid()) return {{a == nil, err:kind()}}") == [
        True,
        "Invalid",
    ]


@pytest.mark.parametrize("call", ["unmonitor", "unlink"])
@pytest.mark.parametrize("target", ["pid", "process.pid()", "'{app:here|0x1}'"])
def test_undoing_what_is_not_there_is_no_error(world: World, place: str, call: str, target: str) -> None:
    world.process("child", WAIT)
    assert world.main(
        f"local pid = process.spawn('app:child', (...)) local ok, err = process.{call}({target}) return "
        f"{{ok, err == nil}}",
        place,
    ) == [True, True]


@pytest.mark.parametrize("call", ["monitor", "unmonitor", "link", "unlink", "terminate", "cancel"])
@pytest.mark.parametrize("argument", ["", "5", "{}"])
def test_a_destination_that_is_no_text_is_invalid(world: World, call: str, argument: str) -> None:
    assert world.main(f"local ok, err = process.{call}({argument}) return {{ok == nil, err:kind()}}") == [
        True,
        "Invalid",
    ]


def test_after_unmonitor_nothing_comes(world: World, place: str) -> None:
    world.process("child", WAIT)
    assert (
        world.main(
            """
        local pid = process.spawn_monitored("app:child", (...))
        process.unmonitor(pid)
        process.send(pid, "x", 1)
        time.sleep("1s")
        local r = channel.select{process.events():case_receive(), default = true}
        return r.default
        """,
            place,
        )
        is True
    )


def test_after_unmonitor_one_can_monitor_again(world: World, place: str) -> None:
    world.process("child", WAIT)
    assert world.main(
        """
        local pid = process.spawn_monitored("app:child", (...))
        process.unmonitor(pid)
        local ok, err = process.monitor(pid)
        process.send(pid, "x", 1)
        return {ok, process.events():receive().result.value}
        """,
        place,
    ) == [True, 1]


def test_an_exit_that_is_queued_already_is_delivered_after_unmonitor(world: World, place: str) -> None:
    world.process("child", "return 7")
    assert (
        world.main(
            """
        local pid = process.spawn_monitored("app:child", (...))
        time.sleep("1s")
        process.unmonitor(pid)
        return process.events():receive().result.value
        """,
            place,
        )
        == 7
    )


def test_a_monitor_of_a_dead_watcher_is_forgotten(world: World, place: str) -> None:
    world.process("child", WAIT)
    world.process("watcher", "process.monitor((...)) return 1")
    pid = world.spawn("app:child", host=place)
    for _ in range(3):
        world.exec("app:watcher", pid)
    world.send(pid, "x", 5)
    box = world.box()
    box.monitor(pid)
    world.run()
    assert box.events[0].result == {"value": 5}


def test_a_failure_reaches_linked_processes_and_a_normal_end_does_not(world: World, place: str) -> None:
    world.process("child", WAIT)
    world.process(
        "parent",
        "local pid = process.spawn_linked('app:child', (...)) process.send(pid, 'x', (select(2, ...))) "
        "time.sleep('9s') return 'lived'",
    )
    assert world.exec("app:parent", place, "end") == "lived"
    with pytest.raises(ProcessError, match="linked process failed") as caught:
        world.exec("app:parent", place, "fail")
    assert caught.value.kind == "Internal"
    assert caught.value.retryable is None


def test_a_link_works_in_both_directions(world: World, place: str) -> None:
    world.process(
        "child", "local ok, err = process.link((...)) process.send((...), 'linked', ok) process.inbox():receive()"
    )
    world.process(
        "parent",
        "local pid = process.spawn('app:child', (...), process.pid()) process.inbox():receive() "
        "process.send((select(2, ...)), 'child', pid) error('x', 0)",
    )
    box = world.box()
    with pytest.raises(ProcessError, match="x"):
        world.exec("app:parent", place, box.pid)
    world.run()
    child = box.messages[0][2][0]
    assert not world.alive(child)


def test_linking_twice_is_one_link(world: World, place: str) -> None:
    world.process("child", WAIT)
    assert world.main(
        """
        process.set_options{trap_links = true}
        local pid = process.spawn("app:child", (...))
        local a, b, c = process.link(pid), process.link(pid), process.link(pid)
        process.send(pid, "x", "fail")
        time.sleep("1s")
        local events, n = process.events(), 0
        while not channel.select{events:case_receive(), default = true}.default do n = n + 1 end
        return {a, b, c, n}
        """,
        place,
    ) == [True, True, True, 1]


@pytest.mark.parametrize("side", ["parent", "child"])
def test_either_side_can_unlink(world: World, place: str, side: str) -> None:
    world.process(
        "child",
        "local parent, mine = ... process.inbox():receive() if mine then process.unlink(parent) "
        "process.send(parent, 'ok') end "
        "process.inbox():receive() error('x')",
    )
    assert (
        world.main(
            """
        local host, side = ...
        local pid = process.spawn_linked("app:child", host, process.pid(), side == "child")
        process.send(pid, "go")
        if side == "parent" then process.unlink(pid) else process.inbox():receive() end
        process.send(pid, "die")
        time.sleep("1s")
        return "lived"
        """,
            place,
            side,
        )
        == "lived"
    )


def test_trapped_links_are_events(world: World, place: str) -> None:
    world.process("child", WAIT)
    assert world.main(
        """
        process.set_options{trap_links = true}
        local pid = process.spawn_linked("app:child", (...))
        process.send(pid, "x", "fail")
        local e = process.events():receive()
        return {e.kind ==
          process.event.LINK_DOWN, e.from == pid, e.result.error:message(), e.result.value == nil, type(e.at)}
        """,
        place,
    ) == [True, True, "failed", True, "number"]


def test_a_cascade_passes_on_its_own_error(world: World, place: str) -> None:
    world.process(
        "chain",
        """
        local host, n, last = ...
        if n > 0 then
          process.spawn_linked("app:chain", host, host == "app:here" and "app:there" or "app:here", n - 1, last)
        else process.send(last, "up", process.pid()) end
        process.inbox():receive()
        error("origin", 0)
        """,
    )
    assert world.main(
        """
        process.set_options{trap_links = true}
        local host = ...
        process.spawn_linked("app:chain", host, host, 5, process.pid())
        local last = process.inbox():receive():payload():data()
        process.send(last, "fail")
        local e = process.events():receive()
        return {e.result.error:message(), e.result.error:kind()}
        """,
        place,
    ) == ["linked process failed", "Internal"]


def test_a_long_row_of_links_falls_at_once() -> None:
    world = World({HERE: 1})
    world.process(
        "chain",
        "local n, box = ... if n > 0 then process.spawn_linked('app:chain', 'app:here', n - 1, box) else "
        "error('end', 0) end "
        "process.inbox():receive()",
    )
    with pytest.raises(ProcessError, match="linked process failed"):
        world.exec("app:chain", 3000, "")
    world.run()
    assert len(world.ended) == 3001


def test_trap_links_may_be_set_before_the_slice_ends(world: World) -> None:
    world.process("child", "process.inbox():receive() error('x', 0)")
    assert (
        world.main(
            """
        local pid = process.spawn_linked("app:child", "app:here")
        process.terminate(pid)
        process.set_options{trap_links = true}
        return process.events():receive().result.error:message()
        """
        )
        == "process terminated"
    )


def test_without_a_trap_the_process_fails_even_if_it_never_asked_for_events(world: World, place: str) -> None:
    world.process("child", "error('x', 0)")
    world.process("parent", "process.spawn_linked('app:child', (...)) local n = 0 while true do n = n + 1 end")
    with pytest.raises(ProcessError, match="linked process failed"):
        world.exec("app:parent", place)


def test_a_terminated_partner_fails_the_running_process_at_the_end_of_its_slice(world: World) -> None:
    world.process("child", "process.inbox():receive()")
    world.process(
        "parent",
        "local pid = process.spawn_linked('app:child', 'app:here') process.terminate(pid) print('goes on') "
        "time.sleep('1s') print('not this')",
    )
    with pytest.raises(ProcessError, match="linked process failed"):
        world.exec("app:parent")
    assert world.printed() == ["goes on"]


def test_a_process_that_fails_while_its_link_is_under_way_takes_its_partner_along(world: World) -> None:
    world.process("child", "process.inbox():receive()")
    world.process(
        "parent",
        "local pid = ... coroutine.spawn(function() process.link(pid) end) error('gone', 0)",
    )
    pid = world.spawn("app:child", host=THERE)
    world.run()
    with pytest.raises(ProcessError, match="gone"):
        world.exec("app:parent", pid)
    world.run()
    assert not world.alive(pid)


def test_a_process_that_fails_while_its_linked_spawn_is_under_way_takes_the_child_along(world: World) -> None:
    world.process("child", "process.send((...), 'up', process.pid()) process.inbox():receive()")
    world.process(
        "parent",
        "local box = ... coroutine.spawn(function() process.spawn_linked('app:child', 'app:there', box) end) "
        "error('gone', 0)",
    )
    box = world.box()
    with pytest.raises(ProcessError, match="gone"):
        world.exec("app:parent", box.pid)
    world.run()
    assert not world.alive(box.messages[0][2][0])


def test_exits_keep_coming_when_two_watch_each_other(world: World, place: str) -> None:
    world.process(
        "other", "process.monitor((...)) process.send((...), 'ready') return process.events():receive().result.value"
    )
    world.process(
        "one",
        "local pid = process.spawn('app:other', (...), process.pid()) process.monitor(pid) "
        "process.inbox():receive() return 'one'",
    )
    assert world.exec("app:one", place) == "one"
    world.run()
    assert world.ended == []


@pytest.mark.parametrize(
    ("options", "kind", "after"),
    [
        ("5", "Invalid", "false false"),
        ("nil", "Invalid", "false false"),
        ("{trap_links = 1}", "Invalid", "false false"),
        ("{trap_links = 'yes', upgradable = true}", "Invalid", "false true"),
        ("{trap_links = true, unknown = 1}", "Invalid", "true false"),
        ("{trap_links = true, upgradable = true}", None, "true true"),
        ("{}", None, "false false"),
    ],
)
def test_options_are_checked_and_the_known_ones_applied(
    world: World, options: str, kind: str | None, after: str
) -> None:
    assert world.main(
        f"local ok, err = process.set_options({options}) local o = process.get_options() "
        "return {ok, err and err:kind() or 'none', tostring(o.trap_links) .. ' ' .. tostring(o.upgradable)}"
    ) == [kind is None, kind or "none", after]


def test_an_unknown_option_is_named(world: World) -> None:
    assert world.main("local ok, err = process.set_options{x = 1} return err:message()") == "option x is not supported"
