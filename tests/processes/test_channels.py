"""Channels and select (spec lua-api.md §5, OP-11 to OP-13)."""

from __future__ import annotations

import pytest

from tests.processes.harness import World


def test_a_buffered_channel_takes_its_size_without_waiting(world: World) -> None:
    assert world.main(
        """
        local ch = channel.new(2)
        local a, b = ch:send(1), ch:send(2)
        local v, ok = ch:receive()
        local w = ch:receive()
        return {a, b, v, ok, w}
        """
    ) == [True, True, 1, True, 2]


@pytest.mark.parametrize("size", ["", "nil", "0", "-3"])
def test_a_channel_without_size_hands_over(world: World, size: str) -> None:
    assert world.main(
        f"""
        local ch, order = channel.new({size}), {{}}
        coroutine.spawn(function() ch:send("v") order[#order + 1] = "sent" end)
        order[#order + 1] = "before"
        order[#order + 1] = ch:receive()
        time.sleep("1s")
        return order
        """
    ) == ["before", "v", "sent"]


def test_nil_and_false_can_be_sent(world: World) -> None:
    assert world.main(
        """
        local ch, made = channel.new(2), channel.new()
        ch:send(nil) ch:send(false)
        local a, ok = ch:receive()
        local b, ok2 = ch:receive()
        coroutine.spawn(function() made:send(nil) end)
        local c, ok3 = made:receive()
        coroutine.spawn(function() time.sleep("1s") made:send(nil) end)
        local d, ok4 = made:receive()
        local s = channel.new(1)
        s:send(nil)
        local r = channel.select{s:case_receive()}
        return {a == nil, ok, b, ok2, c == nil, ok3, d == nil, ok4, r.value == nil, r.ok}
        """
    ) == [True, True, False, True, True, True, True, True, True, True]


def test_a_closed_channel_gives_what_is_buffered_and_then_nil_false(world: World) -> None:
    assert world.main(
        """
        local ch = channel.new(2)
        ch:send(1) ch:send(2)
        local n = select("#", ch:close())
        ch:close()
        local a, b = ch:receive(), ch:receive()
        local v, ok = ch:receive()
        return {n, a, b, v == nil, ok}
        """
    ) == [0, 1, 2, True, False]


def test_sending_on_a_closed_channel_raises(world: World) -> None:
    result = world.main(
        "local ch = channel.new(5) ch:close() local ok, err = pcall(function() ch:send(1) end) return {ok, err}"
    )
    assert result[0] is False
    assert result[1].endswith("send on closed channel")


def test_a_sender_that_waits_when_the_channel_closes_raises(world: World) -> None:
    result = world.main(
        """
        local ch, done = channel.new(), channel.new(1)
        coroutine.spawn(function() local ok, err = pcall(function() ch:send(1) end) done:send(tostring(err)) end)
        ch:close()
        return done:receive()
        """
    )
    assert result.endswith("send on closed channel")


def test_receivers_that_wait_when_the_channel_closes_get_nil_false(world: World) -> None:
    assert world.main(
        """
        local ch, list = channel.new(), {}
        for i = 1, 3 do coroutine.spawn(function() local v, ok = ch:receive() list[i] = v == nil and not ok end) end
        ch:close()
        return list
        """
    ) == [True, True, True]


def test_after_close_the_woken_run_first_and_then_the_closer(world: World) -> None:
    assert world.main(
        """
        local ch, order = channel.new(), {}
        for i = 1, 3 do coroutine.spawn(function() ch:receive() order[#order + 1] = i end) end
        ch:close()
        order[#order + 1] = "closer"
        return order
        """
    ) == [1, 2, 3, "closer"]


def test_the_caller_that_completes_an_operation_goes_on_before_its_partner(world: World) -> None:
    assert world.main(
        """
        local ch, order = channel.new(), {}
        coroutine.spawn(function() ch:receive() order[#order + 1] = "receiver" end)
        ch:send(1)
        order[#order + 1] = "sender"
        coroutine.spawn(function() ch:send(2) order[#order + 1] = "late sender" end)
        ch:receive()
        order[#order + 1] = "late receiver"
        time.sleep("1ms")
        return order
        """
    ) in (["sender", "receiver", "late receiver", "late sender"],)


def test_waiting_receivers_are_served_first_come_first_served(world: World) -> None:
    assert world.main(
        """
        local ch, got = channel.new(), {}
        for i = 1, 4 do
          coroutine.spawn(function()
            if i % 2 == 0 then got[i] = ch:receive() else got[i] = channel.select{ch:case_receive()}.value end
          end)
        end
        for i = 1, 4 do ch:send(i) end
        time.sleep("1ms")
        return got
        """
    ) == [1, 2, 3, 4]


def test_waiting_senders_are_served_first_come_first_served(world: World) -> None:
    assert world.main(
        """
        local ch, got = channel.new(1), {}
        for i = 1, 5 do
          coroutine.spawn(function() if i % 2 == 0 then ch:send(i) else channel.select{ch:case_send(i)} end end)
        end
        for i = 1, 5 do got[i] = ch:receive() end
        return got
        """
    ) == [1, 2, 3, 4, 5]


def test_a_channel_that_reaches_another_process_arrives_as_nil(world: World, place: str) -> None:
    world.process("child", "return (...) == nil")
    assert world.main("return process.exec('app:child', (...), channel.new())", place) is True


@pytest.mark.parametrize(
    "call",
    [
        "channel.new('x')",
        "channel.select()",
        "channel.select(5)",
        "channel.select(channel.new())",
        "channel.select{1}",
        "channel.select{channel.new()}",
        "channel.select{channel.new(1):case_send(1), 'x'}",
        "channel.new().receive({})",
        "channel.new().send(nil, 1)",
        "channel.new().close(process.inbox)",
    ],
)
def test_wrong_arguments_raise_at_the_caller(world: World, call: str) -> None:
    result = world.main(f"local ok, err = pcall(function() local x = {call} end) return {{ok, tostring(err)}}")
    assert result[0] is False
    assert result[1].startswith("app:main:1:")


# select


def test_cases_are_tried_in_list_order(world: World) -> None:
    assert world.main(
        """
        local a, b = channel.new(3), channel.new(3)
        for i = 1, 3 do a:send("a" .. i) b:send("b" .. i) end
        local list = {}
        for i = 1, 6 do
          local r = channel.select{b:case_receive(), a:case_receive()}
          list[i] = r.value .. (r.channel == b and " b" or r.channel == a and " a") .. tostring(r.ok)
        end
        return list
        """
    ) == ["b1 btrue", "b2 btrue", "b3 btrue", "a1 atrue", "a2 atrue", "a3 atrue"]


def test_a_send_case_is_chosen_when_somebody_takes_it(world: World) -> None:
    assert world.main(
        """
        local full, open = channel.new(), channel.new(1)
        local r = channel.select{full:case_send(1), open:case_send(2)}
        coroutine.spawn(function() time.sleep("1s") full:receive() end)
        local s = channel.select{full:case_send("x"), open:case_send(3)}
        return {r.channel == open, r.value, r.ok, s.channel == full, s.value, s.ok, (open:receive())}
        """
    ) == [True, 2, True, True, "x", True, 2]


@pytest.mark.parametrize("form", ["{ch:case_receive(), default = true}", "{ch:case_receive()}, true"])
def test_default_is_taken_when_nothing_is_ready(world: World, form: str) -> None:
    assert world.main(
        f"local ch = channel.new() local r = channel.select({form}) return "
        f"{{r.default, r.ok, r.channel == nil, r.value == nil}}"
    ) == [True, True, True, True]


def test_a_closed_channel_is_ready_with_ok_false(world: World) -> None:
    assert world.main(
        """
        local ch, other = channel.new(), channel.new()
        ch:close()
        local r = channel.select{other:case_receive(), ch:case_receive()}
        coroutine.spawn(function() time.sleep("1s") other:close() end)
        local s = channel.select{other:case_receive()}
        return {r.channel == ch, r.value == nil, r.ok, s.channel == other, s.ok}
        """
    ) == [True, True, False, True, False]


def test_only_one_case_takes_effect(world: World) -> None:
    assert world.main(
        """
        local a, b, list = channel.new(), channel.new(), {}
        coroutine.spawn(function()
          local r = channel.select{a:case_receive(), b:case_receive(), a:case_send(1)}
          list[1] = r.value
        end)
        b:send("chosen")
        local r = channel.select{a:case_send("x"), a:case_receive(), default = true}
        time.sleep("1ms")
        return {r.default, list}
        """
    ) == [True, ["chosen"]]


def test_the_left_over_cases_of_a_select_take_nothing_later(world: World) -> None:
    assert (
        world.main(
            """
        local a, b = channel.new(1), channel.new(1)
        coroutine.spawn(function() channel.select{a:case_receive(), b:case_receive()} end)
        b:send(1)
        time.sleep("1ms")
        a:send("kept")
        return a:receive()
        """
        )
        == "kept"
    )


def test_cases_may_be_used_again(world: World) -> None:
    assert world.main(
        """
        local ch = channel.new(2)
        local put, get = ch:case_send(7), ch:case_receive()
        channel.select{put} channel.select{put}
        return {channel.select{get}.value, channel.select{get}.value}
        """
    ) == [7, 7]


def test_one_channel_may_stand_in_several_cases(world: World) -> None:
    assert world.main(
        """
        local ch, list = channel.new(), {}
        coroutine.spawn(function()
          for i = 1, 2 do
            local r = channel.select{ch:case_receive(), ch:case_receive(), ch:case_send("from select")}
            list[#list + 1] = tostring(r.value)
          end
        end)
        ch:send("to select")
        local got = ch:receive()
        list[#list + 1] = "main got " .. tostring(got)
        time.sleep("1ms")
        table.sort(list)
        return list
        """
    ) == ["from select", "main got from select", "to select"]


def test_a_select_does_not_meet_itself(world: World) -> None:
    world.process("child", "local ch = channel.new() channel.select{ch:case_send(1), ch:case_receive()}")
    assert "deadlock" in world.main("local v, err = process.exec('app:child', 'app:here') return err:message()")


@pytest.mark.parametrize(
    ("cases", "result"),
    [
        ("closed:case_send(1)", "send on closed channel"),
        ("closed:case_send(1), ready:case_receive()", "send on closed channel"),
        ("ready:case_receive(), closed:case_send(1)", "5"),
        ("empty:case_receive(), closed:case_send(1), ready:case_receive()", "send on closed channel"),
    ],
)
def test_a_send_case_on_a_closed_channel_raises_when_it_is_reached_first(world: World, cases: str, result: str) -> None:
    found = world.main(
        f"""
        local closed, ready, empty = channel.new(1), channel.new(1), channel.new()
        closed:close()
        ready:send(5)
        local ok, r = pcall(function() local r = channel.select{{{cases}}} return r.value end)
        return tostring(r)
        """
    )
    assert found.endswith(result)


def test_a_send_case_that_waits_raises_when_the_channel_closes(world: World) -> None:
    assert world.main(
        """
        local ch, other = channel.new(), channel.new()
        coroutine.spawn(function() time.sleep("1s") ch:close() end)
        local ok, err = pcall(function() channel.select{other:case_receive(), ch:case_send(1)} end)
        return {ok, (tostring(err):find("send on closed channel", 1, true)) ~= nil}
        """
    ) == [False, True]


def test_changing_the_cases_while_a_select_waits_changes_nothing(world: World) -> None:
    assert world.main(
        """
        local a, b = channel.new(), channel.new()
        local cases = {a:case_receive(), b:case_receive()}
        coroutine.spawn(function() time.sleep("1s") cases[1], cases[2] = nil, nil b:send("v") end)
        local r = channel.select(cases)
        return {r.channel == b, r.value}
        """
    ) == [True, "v"]


# channels that the runtime feeds


def test_the_channels_of_the_runtime_are_the_same_at_every_call(world: World) -> None:
    assert world.main(
        """
        local t = time.timer("1s")
        return {process.inbox() == process.inbox(), process.events() == process.events(),
          process.listen("t") == process.listen("t"), t:channel() == t:channel(), t:channel() == t:response()}
        """
    ) == [True, True, True, True, True]


def test_a_select_sees_messages_events_and_timers_by_identity(world: World, place: str) -> None:
    world.process("child", "process.send((...), 'm', 1)")
    assert world.main(
        """
        local inbox, events, listened = process.inbox(), process.events(), process.listen("special")
        process.spawn_monitored("app:child", (...), process.pid())
        process.send(process.pid(), "special", "raw")
        local timer, names = time.after("1s"), {}
        for i = 1, 4 do
          local r = channel.select{inbox:case_receive(), events:case_receive(), listened:case_receive(),
            timer:case_receive()}
          names[#names + 1] = r.channel == inbox and "inbox " .. r.value:topic() or r.channel == events and r.value.kind
            or r.channel == listened and r.value or r.channel == timer and "timer"
        end
        table.sort(names)
        return names
        """,
        place,
    ) == ["inbox m", "pid.exit", "raw", "timer"]


def test_a_default_select_sees_what_waits_in_the_mailbox(world: World) -> None:
    assert world.main(
        """
        process.send(process.pid(), "early", 1)
        process.send(process.pid(), "t", "two")
        process.cancel(process.pid(), "three")
        local list = {}
        local function try(ch)
          local r = channel.select{ch:case_receive(), default = true}
          return r.default and "nothing" or r.value
        end
        list[1] = try(process.inbox()):topic()
        list[2] = try(process.listen("t"))
        list[3] = try(process.events()).reason
        list[4] = try(process.inbox())
        return list
        """
    ) == ["early", "two", "three", "nothing"]


def test_a_user_can_close_a_channel_of_the_runtime_without_harm(world: World) -> None:
    assert (
        world.main(
            """
        local ch = process.listen("t")
        ch:close()
        local ok = process.send(process.pid(), "t", 1)
        local inbox = process.inbox()
        inbox:close()
        process.send(process.pid(), "u", 2)
        return ok
        """
        )
        is True
    )
