"""How processes end and what their watchers learn (spec lua-api.md §1.7, processes.md §3.3, §3.4, §7)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.errors import ProcessError
from actors.vm.wire import Input
from tests.processes.harness import HERE, THERE, World

WATCH = """
local host = ...
local pid = process.spawn_monitored("app:child", host, select(2, ...))
local e = process.events():receive()
local err = e.result.error
return {kind = e.kind, from = e.from == pid, value = e.result.value, at = type(e.at),
  error = err and err:message(), error_kind = err and err:kind(), retryable = err and tostring(err:retryable())}
"""


def watched(world: World, place: str, body: str, *args: Any) -> Any:
    world.process("child", body)
    return world.main(WATCH, place, *args)


def test_a_result_is_told_to_monitors(world: World, place: str) -> None:
    assert watched(world, place, "return {n = (...)}", 5) == {
        "kind": "pid.exit",
        "from": True,
        "value": {"n": 5},
        "at": "number",
    }


def test_no_result_has_neither_value_nor_error(world: World, place: str) -> None:
    assert watched(world, place, "return") == {"kind": "pid.exit", "from": True, "at": "number"}


@pytest.mark.parametrize(
    ("returned", "value"),
    [
        ("1, 2", 1),
        ("1, {}", 1),
        ("1, true", 1),
        ("1, false", 1),
        ("1, nil, 'text'", 1),
        ("errors.new('as a value'):message()", "as a value"),
    ],
)
def test_only_a_text_or_an_error_as_second_value_is_a_failure(
    world: World, place: str, returned: str, value: Any
) -> None:
    assert watched(world, place, f"return {returned}")["value"] == value


def test_an_error_object_as_first_value_is_a_value(world: World, place: str) -> None:
    world.process("child", "return errors.new{message = 'm', kind = 'Timeout', retryable = true, details = {a = 1}}")
    assert world.main(
        """
        process.spawn_monitored("app:child", (...))
        local v = process.events():receive().result.value
        return {type(v), v:message(), v:kind(), v:retryable(), v:details().a}
        """,
        place,
    ) == ["userdata", "m", "Timeout", True, 1]


def test_a_text_as_second_value_is_final(world: World, place: str) -> None:
    result = watched(world, place, "return 1, 'broken'")
    assert (result["error"], result["error_kind"], result["retryable"]) == ("broken", "Internal", "false")
    assert "value" not in result


@pytest.mark.parametrize(
    ("made", "kind", "retryable"),
    [
        ("errors.new('m')", "Internal", "nil"),
        ("errors.new{message = 'm', kind = errors.CONFLICT}", "Conflict", "nil"),
        ("errors.new{message = 'm', kind = errors.CONFLICT, retryable = true}", "Conflict", "true"),
        ("errors.new{message = 'm', retryable = false}", "Internal", "false"),
    ],
)
@pytest.mark.parametrize("how", ["return nil, {}", "error({})"])
def test_an_error_object_keeps_its_kind_and_retryable(
    world: World, place: str, how: str, made: str, kind: str, retryable: str
) -> None:
    result = watched(world, place, how.replace("{}", made))
    assert (result["error"], result["error_kind"], result["retryable"]) == ("m", kind, retryable)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("error('boom')", "app:child:1: boom"),
        ("error('boom', 0)", "boom"),
        ("error(5)", "app:child:1: 5"),
        ("error()", "nil"),
        ("error(nil)", "nil"),
        ("error(true)", "true"),
        ("local x = nil; return x.y", "app:child:1: attempt to index local 'x' (a nil value)"),
        ("error(setmetatable({}, {__tostring = function() return 'shown' end}))", "shown"),
        ("error(setmetatable({}, {__tostring = function() error('no') end}))", "(error value that cannot be shown)"),
        (
            "error(setmetatable({}, {__tostring = function() while true do end end}))",
            "(error value that cannot be shown)",
        ),
        ("error(setmetatable({}, {__tostring = function() process.terminate(process.pid()) end}))", None),
    ],
)
def test_anything_else_that_is_raised_becomes_an_internal_error(
    world: World, place: str, raised: str, message: str | None
) -> None:
    result = watched(world, place, raised)
    assert (result["error_kind"], result["retryable"]) == ("Internal", "nil")
    if message is not None:
        assert result["error"] == message


def test_an_error_in_any_coroutine_ends_the_process(world: World, place: str) -> None:
    result = watched(world, place, "coroutine.spawn(function() error('inside') end) process.inbox():receive() return 1")
    assert result["error"] == "app:child:1: inside"


def test_other_coroutines_stop_when_main_returns(world: World, place: str) -> None:
    result = watched(
        world,
        place,
        "coroutine.spawn(function() time.sleep('1s') print('ran on') end) coroutine.spawn(function() "
        "process.inbox():receive() print('ran on') end)"
        "return 'over'",
    )
    assert result["value"] == "over"
    world.settle()
    assert world.printed() == []


@pytest.mark.parametrize("result", ["function() end", "coroutine.create(print)", "{a = {print}}", "{[print] = 1}"])
def test_a_result_that_cannot_be_sent_is_a_failure(world: World, place: str, result: str) -> None:
    found = watched(world, place, f"return {result}")
    assert found["error_kind"] == "Invalid"
    assert "cannot be sent" in found["error"]
    assert "app:child" in found["error"]


@pytest.mark.parametrize(
    "error",
    [
        "(function() local d = {} d.d = d return errors.new{message = 'm', details = d} end)()",
        "(function() local d = {} local e = errors.new{message = 'm', details = d} d.e = e return e end)()",
        "errors.new{message = 'm', details = {f = print}}",
        "(function() local e = errors.new('deep') for i = 1, 50000 do e = errors.new{message = 'm', details = {e "
        "= e}} end "
        "return e end)()",
    ],
)
@pytest.mark.parametrize("how", ["error({})", "return nil, {}"])
def test_no_error_that_a_script_makes_harms_the_vm(world: World, place: str, how: str, error: str) -> None:
    result = watched(world, place, how.replace("{}", error))
    assert result["error"] == "m"
    assert watched(world, place, "return 1")["value"] == 1


def test_details_of_an_error_are_not_shared_between_watchers(world: World, place: str) -> None:
    world.process("child", "process.inbox():receive() error(errors.new{message = 'm', details = {n = {1}}})")
    world.process(
        "watcher",
        """
        local parent, pid = ...
        process.monitor(pid)
        process.send(parent, "ready")
        local d = process.events():receive().result.error:details()
        d.n[1] = d.n[1] + 1
        process.send(parent, "seen", d.n[1])
        """,
    )
    assert world.main(
        """
        local host = ...
        local pid = process.spawn("app:child", host)
        local inbox = process.inbox()
        for i = 1, 3 do process.spawn("app:watcher", host, process.pid(), pid) inbox:receive() end
        process.send(pid, "go")
        local list = {}
        for i = 1, 3 do list[i] = inbox:receive():payload():data() end
        return list
        """,
        place,
    ) == [2, 2, 2]


def test_values_are_not_shared_between_watchers(world: World, place: str) -> None:
    world.process("child", "process.inbox():receive() return {n = {1}}")
    world.process(
        "watcher",
        """
        local parent, pid = ...
        process.monitor(pid)
        process.send(parent, "ready")
        local d = process.events():receive().result.value
        d.n[1] = d.n[1] + 1
        process.send(parent, "seen", d.n[1])
        """,
    )
    assert world.main(
        """
        local host = ...
        local pid = process.spawn("app:child", host)
        local inbox = process.inbox()
        for i = 1, 3 do process.spawn("app:watcher", host, process.pid(), pid) inbox:receive() end
        process.send(pid, "go")
        local list = {}
        for i = 1, 3 do list[i] = inbox:receive():payload():data() end
        return list
        """,
        place,
    ) == [2, 2, 2]


def test_python_gets_errors_that_cannot_cross_whole_without_their_details(world: World) -> None:
    entry = world.process(
        "bad", "local d = {} d.d = d error(errors.new{message = 'm', kind = 'Conflict', details = d})"
    )
    with pytest.raises(ProcessError, match="m") as caught:
        world.exec(entry)
    assert caught.value.kind == "Conflict"
    world.run()
    assert [ended.failure.message for ended in world.ended] == ["m"]


def test_every_failure_is_reported_and_a_success_is_not(world: World) -> None:
    world.main("return 1")
    with pytest.raises(ProcessError):
        world.main("error('x', 0)")
    world.run()
    assert [(ended.entry, ended.host, ended.failure.message) for ended in world.ended] == [("app:main", HERE, "x")]


def test_a_failure_carries_the_stack_of_the_script(world: World) -> None:
    with pytest.raises(ProcessError) as caught:
        world.main(
            "\nlocal function deep() error('x') end\nlocal function outer() deep() return 1 end\nouter()\nreturn 1"
        )
    assert caught.value.stack.splitlines()[0] == "app:main:2 in deep"
    assert "app:main:3" in caught.value.stack
    assert "[tutela]" not in caught.value.stack


def test_an_error_of_the_interpreter_has_its_line_in_the_stack_too(world: World) -> None:
    with pytest.raises(ProcessError, match=r"^app:main:3: attempt to index") as caught:
        world.main("\nlocal function deep(x)\n return x.field.y end\nlocal v = deep({})\nreturn v")
    assert caught.value.stack.splitlines()[0] == "app:main:3 in deep"
    assert "app:main:4" in caught.value.stack


# deadlock


@pytest.mark.parametrize(
    "body",
    [
        "channel.new():receive()",
        "channel.new():send(1)",
        "channel.select{}",
        "channel.select{channel.new():case_receive()}",
        "coroutine.wrap(function() channel.new():receive() end)()",
        "local ch = process.listen('t') process.unlisten(ch) channel.new():receive()",
    ],
)
def test_a_process_in_which_nothing_can_happen_any_more_fails(world: World, place: str, body: str) -> None:
    result = watched(world, place, body)
    assert result["error"] == "deadlock: all coroutines blocked with no pending operations (threads=1)"
    assert result["error_kind"] == "Internal"


def test_a_deadlock_counts_its_coroutines(world: World, place: str) -> None:
    result = watched(
        world,
        place,
        "local ch = channel.new() for i = 1, 3 do coroutine.spawn(function() ch:receive() end) end "
        "coroutine.spawn(function() end) channel.new():receive()",
    )
    assert result["error"] == "deadlock: all coroutines blocked with no pending operations (threads=4)"


def test_a_deadlock_is_found_when_the_last_coroutine_that_could_run_ends(world: World, place: str) -> None:
    result = watched(world, place, "coroutine.spawn(function() time.sleep('5s') end) channel.new():receive()")
    assert "deadlock" in result["error"]


@pytest.mark.parametrize(
    "body",
    [
        "process.inbox() channel.new():receive()",
        "process.events() channel.new():receive()",
        "process.listen('t') channel.new():receive()",
        "subscribe('t', channel.new(1)) channel.new():receive()",
    ],
)
def test_a_process_with_a_subscription_is_idle(world: World, body: str) -> None:
    pid = world.spawn(world.process("idle", body))
    world.run()
    assert world.alive(pid)


def test_a_timer_is_a_pending_operation_until_it_fires(world: World) -> None:
    pid = world.spawn(world.process("waiting", "time.after('5s') channel.new():receive()"))
    world.advance(4)
    assert world.alive(pid)
    world.advance(2)
    world.run()
    assert world.ended == [] or "deadlock" in world.ended[0].failure.message


# terminate and cancel


def test_a_terminated_process_runs_no_more_code(world: World, place: str) -> None:
    world.process(
        "child",
        "local ok, err = pcall(function() process.inbox():receive() end) print('ran on') return 1",
    )
    result = world.main(
        """
        local pid = process.spawn_monitored("app:child", (...))
        time.sleep("1s")
        local ok = process.terminate(pid)
        local e = process.events():receive()
        local again, err = process.terminate(pid)
        return {ok, e.result.error:message(), e.result.error:kind(), e.result.error:retryable() == nil, again ==
          nil, err:kind()}
        """,
        place,
    )
    assert result == [True, "process terminated", "Internal", True, True, "NotFound"]
    assert world.printed() == []


def test_an_endless_loop_can_be_terminated(world: World, place: str) -> None:
    world.process("child", "while true do end")
    assert (
        world.main(
            """
        local pid = process.spawn_monitored("app:child", (...))
        process.terminate(pid)
        return process.events():receive().result.error:message()
        """,
            place,
        )
        == "process terminated"
    )


def test_a_process_that_never_ran_can_be_terminated(world: World) -> None:
    world.process("child", "print('ran')")
    assert (
        world.main(
            """
        local pid = process.spawn_monitored("app:child", "app:here")
        process.terminate(pid)
        return process.events():receive().result.error:message()
        """
        )
        == "process terminated"
    )
    assert world.printed() == []


@pytest.mark.parametrize(
    "body",
    [
        "process.terminate(process.pid())",
        "pcall(process.terminate, process.pid())",
        "coroutine.wrap(function() pcall(process.terminate, process.pid()) end)()",
        "coroutine.spawn(function() process.terminate(process.pid()) end)",
        "pcall(table.sort, {3, 2, 1}, function() process.terminate(process.pid()) end)",
        "pcall(string.gsub, 'x', 'x', function() process.terminate(process.pid()) end)",
        "table.sort({3, 2, 1}, function() coroutine.wrap(function() process.terminate(process.pid()) end)() end)",
    ],
)
def test_a_process_can_terminate_itself_and_no_pcall_keeps_it(world: World, place: str, body: str) -> None:
    result = watched(world, place, body + " for i = 1, 1000 do time.sleep('1s') end return 'survived'")
    assert result.get("error") == "process terminated"


def test_cancel_is_an_event_and_forces_nothing(world: World, place: str) -> None:
    world.process(
        "child",
        """
        local e = process.events():receive()
        process.send((...), "told", e)
        return "cleaned up"
        """,
    )
    result = world.main(
        """
        local pid = process.spawn_monitored("app:child", (...), process.pid())
        local ok, err = process.cancel(pid, "enough")
        local told = process.inbox():receive():payload():data()
        return {ok = ok, told = told, me = told.from == process.pid(), value = process.events():receive().result.value}
        """,
        place,
    )
    told = result["told"]
    assert told["kind"] == "pid.cancel"
    assert told["reason"] == "enough"
    assert isinstance(told["at"], (int, float))
    assert "deadline" not in told
    assert (result["ok"], result["me"], result["value"]) == (True, True, "cleaned up")


def test_without_a_reader_cancel_is_kept(world: World, place: str) -> None:
    world.process("child", "time.sleep('10s') return process.events():receive().reason")
    assert (
        world.main(
            "local pid = process.spawn_monitored('app:child', (...)) process.cancel(pid, 'x')"
            "return process.events():receive().result.value",
            place,
        )
        == "x"
    )


def test_a_cancel_never_comes_to_the_inbox(world: World, place: str) -> None:
    world.process(
        "child",
        "local r = channel.select{process.inbox():case_receive(), time.after('5s'):case_receive()} "
        "return tostring(r.channel == process.inbox())",
    )
    assert (
        world.main(
            "local pid = process.spawn_monitored('app:child', (...)) process.cancel(pid)"
            "return process.events():receive().result.value",
            place,
        )
        == "false"
    )


@pytest.mark.parametrize(
    ("how", "reason", "seconds"),
    [
        ("500", None, 0.5),
        ("'5s'", None, 5.0),
        ("'250ms'", None, 0.25),
        ("{reason = 'bye', deadline = '5s'}", "bye", 5.0),
        ("{reason = 'bye', deadline = 1500}", "bye", 1.5),
    ],
)
def test_a_deadline_ends_a_process_that_does_not_end_itself(
    world: World, place: str, how: str, reason: str | None, seconds: float
) -> None:
    world.process("child", "process.events():receive() process.inbox():receive()")
    result = world.main(
        f"""
        local pid = process.spawn_monitored("app:child", (...))
        time.sleep("1s")
        local before = time.now()
        local ok, err = process.cancel(pid, {how})
        if not ok then return nil, err end
        local e = process.events():receive()
        return {{message = e.result.error:message(), kind = e.result.error:kind(), after =
          time.now():sub(before):seconds()}}
        """,
        place,
    )
    assert result["message"] == "cancel deadline exceeded"
    assert result["kind"] == "Timeout"
    assert result["after"] == pytest.approx(seconds)


def test_the_cancel_event_tells_the_point_in_time_of_the_deadline(world: World, place: str) -> None:
    world.process("child", "return process.events():receive().deadline")
    assert (
        world.main(
            "local pid = process.spawn_monitored('app:child', (...)) process.cancel(pid, 1500)"
            "return process.events():receive().result.value",
            place,
        )
        == "2023-11-14T22:13:21.5Z"
    )


@pytest.mark.parametrize("how", ["0", "-5", "'0s'", "'-1s'", "{deadline = 0}", "0/0"])
def test_a_deadline_that_is_not_in_the_future_is_none(world: World, place: str, how: str) -> None:
    world.process("child", "local e = process.events():receive() time.sleep('1h') return e.deadline == nil")
    assert (
        world.main(
            f"local pid = process.spawn_monitored('app:child', (...)) process.cancel(pid, {how})"
            "return process.events():receive().result.value",
            place,
        )
        is True
    )


def test_of_two_deadlines_the_earlier_counts(world: World, place: str) -> None:
    world.process("child", "process.inbox():receive()")
    assert world.main(
        """
        local seconds = {}
        for i, pair in ipairs{{"10s", "3s"}, {"3s", "10s"}} do
          local pid = process.spawn_monitored("app:child", (...))
          local before = time.now()
          process.cancel(pid, pair[1])
          process.cancel(pid, pair[2])
          process.events():receive()
          seconds[i] = time.now():sub(before):seconds()
        end
        return seconds
        """,
        place,
    ) == [3, 3]


@pytest.mark.parametrize("how", ["true", "function() end", "{reason = 5}", "{deadline = true}", "{deadline = 'soon'}"])
def test_a_reason_that_is_no_text_is_invalid(world: World, how: str) -> None:
    assert world.main(f"local ok, err = process.cancel(process.pid(), {how}) return {{ok == nil, err:kind()}}") == [
        True,
        "Invalid",
    ]


def test_a_deadline_that_lies_beyond_all_time_does_no_harm(world: World) -> None:
    assert world.main("local ok = process.cancel(process.pid(), math.huge) return {alive = true}") == {"alive": True}
    assert world.main("local ok = process.cancel(process.pid(), 1e300) return {alive = true}") == {"alive": True}


def test_canceling_what_is_gone_is_not_found(world: World) -> None:
    assert world.main("local ok, err = process.cancel('nobody', 'x') return {ok == nil, err:kind()}") == [
        True,
        "NotFound",
    ]


# stop of a host


def stop(world: World, host: str) -> None:
    world.board.set_host(world.hosts[host], "stopping")
    for node in world.hosts[host].nodes:
        node.post([Input.STOPPING, "scheduler shutdown"])


def test_a_host_that_stops_asks_every_process_and_takes_no_new_ones(world: World) -> None:
    world.process("child", "return process.events():receive().reason")
    pid = world.spawn("app:child", host=THERE)
    box = world.box()
    box.monitor(pid)
    world.run()
    stop(world, THERE)
    assert world.main(
        "local pid, err = process.spawn('app:child', 'app:there') return {err:kind(), err:retryable()}"
    ) == [
        "Unavailable",
        True,
    ]
    assert box.events[0].result == {"value": "scheduler shutdown"}


def test_what_is_left_when_the_grace_period_is_over_is_canceled(world: World) -> None:
    pid = world.spawn(world.process("child", "while true do process.inbox():receive() end"), host=THERE)
    box = world.box()
    box.monitor(pid)
    stop(world, THERE)
    world.run()
    assert not box.events
    world.hosts[THERE].nodes[0].post([Input.KILL_ALL, "host stopped: process canceled"])
    world.run()
    assert box.events[0].result["error"].kind == "Canceled"
    assert not world.alive(pid)


def test_watchers_of_a_lost_vm_learn_that_their_processes_ended(world: World) -> None:
    world.process("child", "process.inbox():receive()")
    world.process(
        "watcher",
        """
        process.set_options{trap_links = true}
        local pid = process.spawn_linked_monitored("app:child", "app:there")
        local events = process.events()
        process.send((...), "ready")
        local list = {}
        for i = 1, 2 do
          local e = events:receive()
          list[i] = {e.kind, e.from == pid, e.result.error:message(), e.result.error:kind(),
            e.result.error:retryable() == nil}
        end
        process.send((...), "told", list)
        """,
    )
    box = world.box()
    world.spawn("app:watcher", box.pid)
    world.run()
    world.lose(world.hosts[THERE].nodes[0])
    world.run()
    assert box.messages[1][2] == [
        [
            ["pid.exit", True, "worker lost", "Internal", True],
            ["pid.link.down", True, "worker lost", "Internal", True],
        ]
    ]


def test_a_process_that_waits_for_a_lost_vm_gets_an_error(world: World) -> None:
    world.process("child", "process.inbox():receive()")
    pid = world.spawn(
        world.process(
            "main", "local v, err = process.exec('app:child', 'app:there') process.send((...), 'got', err:message())"
        ),
        (box := world.box()).pid,
    )
    world.run()
    assert world.alive(pid)
    world.lose(world.hosts[THERE].nodes[0])
    world.run()
    assert box.messages[0][2] == ["worker lost"]
