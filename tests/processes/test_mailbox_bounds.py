"""Routing of messages, subscriptions, and bounds of mailboxes (spec processes.md §4, §5; lua-api.md §4.7, §4.9)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.processes.harness import HERE, World

DRAIN = """
local function drain(ch)
  local list = {}
  while true do
    local r = channel.select{ch:case_receive(), default = true}
    if r.default or not r.ok then return list end
    local v = r.value
    list[#list + 1] = type(v) == "userdata" and v:topic() .. tostring(v:payload() and v:payload():data()) or v
  end
end
"""


def routed(world: World, body: str) -> Any:
    return world.main(DRAIN + "local function put(t, v) process.send(process.pid(), t, v) end " + body)


def test_messages_that_came_before_a_subscription_are_kept(world: World) -> None:
    assert routed(
        world,
        "put('a', 1) put('l', 2) put('a', 3) local l = process.listen('l') local i = process.inbox() "
        "return {drain(l), drain(i)}",
    ) == [[2], ["a1", "a3"]]


def test_a_listened_topic_never_goes_to_the_inbox(world: World) -> None:
    assert routed(
        world,
        "local i, l = process.inbox(), process.listen('l') put('l', 1) put('a', 2) put('l', 3) return {drain(i), "
        "drain(l)}",
    ) == [["a2"], [1, 3]]


def test_what_waits_for_the_inbox_goes_to_a_topic_that_is_listened_to_later(world: World) -> None:
    assert routed(
        world,
        "local i = process.inbox() put('l', 1) put('a', 2) put('l', 3) local l = process.listen('l') "
        "return {drain(i), drain(l)}",
    ) == [["a2"], [1, 3]]


def test_after_unlisten_the_buffered_message_can_be_received_and_the_rest_is_in_the_inbox(world: World) -> None:
    assert routed(
        world,
        """
        local i, l = process.inbox(), process.listen('l')
        put('a', 0) put('l', 1) put('a', 2) put('l', 3) put('l', 4)
        local ok = process.unlisten(l)
        put('l', 5)
        local v, more = l:receive()
        local w, no_more = l:receive()
        return {ok, v, more, w == nil, no_more, drain(i)}
        """,
    ) == [True, 1, True, True, False, ["a0", "a2", "l3", "l4", "l5"]]


def test_a_receiver_that_waits_on_an_unlistened_channel_is_woken(world: World) -> None:
    assert routed(
        world,
        "local l, got = process.listen('l'), {} coroutine.spawn(function() local v, ok = l:receive() got[1] = ok end) "
        "process.unlisten(l) time.sleep('1ms') return got",
    ) == [False]


def test_unlisten_of_anything_else_fails(world: World) -> None:
    assert world.main(
        """
        local l = process.listen("l")
        process.unlisten(l)
        local list = {}
        for i, ch in ipairs{l, channel.new(), process.inbox(), {}, 5} do
          local ok, err = process.unlisten(ch)
          list[i] = tostring(ok) .. " " .. (errors.is(err, errors.NOT_FOUND) and "NotFound" or errors.is(err,
            errors.INVALID) and "Invalid" or "?")
        end
        return list
        """
    ) == ["false NotFound", "false NotFound", "false NotFound", "false Invalid", "false Invalid"]


@pytest.mark.parametrize("topic", ["''", "'@events'", "nil", "5"])
@pytest.mark.parametrize("call", ["process.listen(%s)", "subscribe(%s, channel.new())"])
def test_topics_that_cannot_be_listened_to(world: World, topic: str, call: str) -> None:
    assert world.main(f"local ch, err = {call % topic} return {{ch == nil, err:kind()}}") == [True, "Invalid"]


def test_listening_twice_gives_the_same_channel_and_message_form_stays(world: World) -> None:
    assert routed(
        world,
        """
        local a = process.listen('l')
        put('l', 1)
        local raw = a:receive()
        local b = process.listen('l', {message = true})
        local c = process.listen('l')
        put('l', 2)
        local m = c:receive()
        process.unlisten(a)
        local d = process.listen('l')
        put('l', 3)
        return {a == b, b == c, raw, m:topic(), m:payload():data(), a ~= d, d:receive()}
        """,
    )[:7] == [True, True, 1, "l", 2, True, 3]


def test_the_raw_form_of_no_one_and_several_payloads(world: World) -> None:
    assert world.main(
        """
        local l = process.listen("l")
        local me = process.pid()
        process.send(me, "l") process.send(me, "l", {1}) process.send(me, "l", 1, 2)
          process.send(me, "l", {1, 2, 3, 4, 5})
        local a, ok = l:receive()
        return {a == nil, ok, (l:receive()), (l:receive()), (l:receive())}
        """
    ) == [True, True, [1], [1, 2], [1, 2, 3, 4, 5]]


def test_topics_match_exactly(world: World) -> None:
    assert routed(
        world,
        "local l, i = process.listen('a.*'), process.inbox() put('a.b', 1) put('a.*', 2) return {drain(l), drain(i)}",
    ) == [[2], ["a.b1"]]


def test_a_message_for_one_channel_does_not_hold_up_another(world: World) -> None:
    assert routed(
        world,
        "local a, b = process.listen('a'), process.listen('b') for i = 1, 5 do put('a', i) end put('b', 9) return "
        "{drain(b), drain(a)}",
    ) == [[9], [1, 2, 3, 4, 5]]


def test_subscribe_uses_an_own_channel_in_raw_form(world: World) -> None:
    assert routed(
        world,
        """
        local ch, other = channel.new(2), channel.new()
        local same = subscribe('s', ch) == ch
        put('s', {n = 1})
        ch:send("own")
        local taken, err = subscribe('s', other)
        local again = subscribe('s', ch) == ch
        local v = ch:receive()
        local own = ch:receive()
        local ok = unsubscribe(ch)
        local _, more = ch:receive()
        local twice, problem = unsubscribe(ch)
        put('s', 2)
        return {same, v.n, own, taken == nil, err:kind(), again, ok, more, twice, problem:kind(),
          drain(process.inbox())}
        """,
    ) == [True, 1, "own", True, "AlreadyExists", True, True, False, False, "NotFound", ["s2"]]


@pytest.mark.parametrize("value", ["'text'", "{1, 2, 3, 4, 5}", "{'s', 'x', 'y', 7}", "nil", "true"])
def test_values_that_a_script_puts_into_a_subscribed_channel_are_no_messages(world: World, value: str) -> None:
    world = World(mailbox_limit=2, mailbox_overflow="drop_oldest")
    assert (
        routed(
            world,
            f"""
        local ch = channel.new(5)
        subscribe('s', ch)
        ch:send({value})
        coroutine.spawn(function() process.inbox():send({value}) end)
        for i = 1, 4 do put('s', i) put('t', i) end
        process.listen('t')
        process.unlisten(ch)
        return "unharmed"
        """,
        )
        == "unharmed"
    )


def test_events_do_not_count_and_do_not_mix(world: World) -> None:
    world = World(mailbox_limit=1)
    assert world.main(
        """
        for i = 1, 5 do process.cancel(process.pid(), "c" .. i) end
        local ok = process.send(process.pid(), "t", 1)
        local list = {}
        for i = 1, 5 do list[i] = process.events():receive().reason end
        return {ok, list, process.inbox():receive():payload():data()}
        """
    ) == [True, ["c1", "c2", "c3", "c4", "c5"], 1]


# bounds


def test_a_full_mailbox_refuses_and_says_that_trying_again_helps(world: World) -> None:
    world.process(
        "child",
        "process.listen('go'):receive() local i, n = process.inbox(), 0 "
        "for k = 1, 2 do n = n + i:receive():payload():data() end return n",
        limit=2,
        overflow="fail",
    )
    assert world.main(
        """
        local pid = process.spawn_monitored("app:child", "app:here")
        time.sleep("1ms")
        local a, b = process.send(pid, "t", 1), process.send(pid, "t", 2)
        local c, err = process.send(pid, "t", 3)
        local text = err:message()
        process.send(pid, "go")
        return {a, b, c == nil, err:kind(), err:retryable()}
        """
    ) == [True, True, True, "RateLimited", True]


def test_a_message_that_a_receiver_waits_for_is_no_message_too_many(world: World) -> None:
    world = World(mailbox_limit=1)
    world.process("child", "local n, l = 0, process.listen('l') for i = 1, 10 do n = n + l:receive() end return n")
    assert (
        world.main(
            """
        local pid = process.spawn_monitored("app:child", "app:here")
        for i = 1, 10 do time.sleep("1ms") local ok, err = process.send(pid, "l", i) if not ok then
          return err:kind() end end
        return process.events():receive().result.value
        """
        )
        == 55
    )


def test_room_is_made_by_receiving(world: World) -> None:
    world = World(mailbox_limit=2)
    assert world.main(
        """
        local me, inbox, list = process.pid(), process.inbox(), {}
        for i = 1, 3 do list[#list + 1] = process.send(me, "t", i) or false end
        inbox:receive()
        for i = 4, 5 do list[#list + 1] = process.send(me, "t", i) or false end
        return list
        """
    ) == [True, True, False, True, False]


@pytest.mark.parametrize(
    ("overflow", "kept", "dropped"), [("drop_oldest", ["b2", "a3"], 2), ("drop_newest", ["a0", "b1"], 2)]
)
def test_what_is_dropped_becomes_a_dead_letter(overflow: str, kept: list[str], dropped: int) -> None:
    world = World(mailbox_limit=2, mailbox_overflow=overflow)
    assert (
        routed(
            world,
            "local i = process.inbox() put('a', 0) put('b', 1) put('b', 2) local ok = put('a', 3) return drain(i)",
        )
        == kept
    )
    assert len(world.dead_letters()) == dropped
    assert all("mailbox full" in letter.reason for letter in world.dead_letters())


def test_the_oldest_is_found_in_whichever_queue_it_waits() -> None:
    world = World(mailbox_limit=3, mailbox_overflow="drop_oldest")
    assert routed(
        world,
        "local l = process.listen('l') put('u', 1) put('l', 2) put('l', 3) put('l', 4) put('u', 5) put('l', 6) "
        "return {drain(l), drain(process.inbox())}",
    ) == [[4, 6], ["u5"]]


def test_a_sender_in_another_vm_cannot_know_and_leaves_a_dead_letter(world: World) -> None:
    world.process(
        "child",
        "process.listen('go'):receive() return process.inbox():receive():payload():data()",
        limit=1,
        overflow="fail",
    )
    assert world.main(
        """
        local pid = process.spawn_monitored("app:child", "app:there")
        local a, b = process.send(pid, "t", 1), process.send(pid, "t", 2)
        time.sleep("1ms")
        process.send(pid, "go")
        return {a, b}
        """
    ) == [True, True]
    assert len(world.dead_letters()) >= 1


def test_startup_messages_beyond_the_bound_are_dead_letters(world: World) -> None:
    world.process("child", "return process.inbox():receive():topic()", limit=1, overflow="fail")
    assert (
        world.main(
            "process.with_context({}):with_message('a'):with_message('b'):spawn_monitored('app:child', 'app:here') "
            "return process.events():receive().result.value"
        )
        == "a"
    )
    assert [letter.topic for letter in world.dead_letters()] == ["b"]


def test_a_mailbox_that_grows_warns_once_and_at_every_doubling() -> None:
    world = World({HERE: 1})
    pid = world.spawn(world.process("idle", "process.events():receive()"))
    world.process("main", "local pid = ... for i = 1, 4500 do process.send(pid, 't', i) end")
    world.exec("app:main", pid)
    assert [message.split()[0] for message in world.warnings()] == ["1024", "2048", "4096"]
    assert all(pid in message and "app:idle" in message for message in world.warnings())


def test_messages_that_wait_for_the_dead_are_lost(world: World) -> None:
    pid = world.spawn(world.process("idle", "process.events():receive()"))
    world.send(pid, "t", 1)
    world.run()
    world.terminate(pid)
    world.run()
    assert world.dead_letters() == []
