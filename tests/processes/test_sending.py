"""process.send and what receivers see of a message (spec lua-api.md §4.2, §4.3, §4.7)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.vm.wire import Input
from tests.processes.harness import HERE, THERE, World

ECHO = """
local inbox = process.inbox()
while true do
  local m = inbox:receive()
  local p = m:payload()
  process.send(m:from(), "echo", {topic = m:topic(), from = m:from(), data = p and p:data()})
end
"""


def test_a_message_arrives_with_topic_sender_and_payload(world: World, place: str) -> None:
    world.process("echo", ECHO)
    result = world.main(
        """
        local pid = process.spawn("app:echo", ...)
        local ok, err = process.send(pid, "hello", {n = 1, list = {1, 2, {deep = "x"}}})
        local m = process.inbox():receive()
        local data = m:payload():data()
        return {ok = ok, no_err = err == nil, topic = m:topic(), from = m:from() == pid, data = data,
          me = data.from == process.pid()}
        """,
        place,
    )
    assert result["ok"] is True
    assert result["no_err"] is True
    assert result["topic"] == "echo"
    assert result["from"] is True
    assert result["me"] is True
    assert result["data"]["topic"] == "hello"
    assert result["data"]["data"] == {"n": 1, "list": [1, 2, {"deep": "x"}]}


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -1, 1.5, 2**53, "", "text", "äöü", b"\xff\x00", [], [1], {"a": 1}]
)
def test_every_plain_value_arrives_as_it_was_sent(world: World, place: str, value: Any) -> None:
    world.process("echo", ECHO)
    result = world.main(
        """
        local host, value = ...
        local pid = process.spawn("app:echo", host)
        process.send(pid, "v", value)
        return {v = process.inbox():receive():payload():data().data}
        """,
        place,
        value,
    )
    assert result == ({"v": value} if value is not None else [])


def test_several_payloads_are_one_message_with_an_array_of_payloads(world: World, place: str) -> None:
    world.process(
        "child",
        """
        local parent = ...
        local m = process.inbox():receive()
        local list = m:payload()
        local raw = process.listen("raw"):receive()
        process.send(parent, "seen", {n = #list, a = list[1]:data(), b = list[2]:data(), c = list[3]:data().x, raw
          = raw})
        """,
    )
    result = world.main(
        """
        local pid = process.spawn("app:child", (...), process.pid())
        process.send(pid, "many", 1, "two", {x = 3})
        process.send(pid, "raw", "a", "b")
        return process.inbox():receive():payload():data()
        """,
        place,
    )
    assert result == {"n": 3, "a": 1, "b": "two", "c": 3, "raw": ["a", "b"]}


def test_nil_in_front_of_another_payload_is_kept_and_trailing_nil_is_not(world: World, place: str) -> None:
    world.process(
        "child",
        """
        local parent = ...
        local inbox = process.inbox()
        local a, b, c = inbox:receive():payload(), inbox:receive():payload(), inbox:receive():payload()
        process.send(parent, "seen", {first = a[1]:data() == nil, second = a[2]:data(), single = b:data(), none = c
          == nil})
        """,
    )
    result = world.main(
        """
        local pid = process.spawn("app:child", (...), process.pid())
        process.send(pid, "t", nil, 2)
        process.send(pid, "t", 1, nil, nil)
        process.send(pid, "t", nil, nil)
        return process.inbox():receive():payload():data()
        """,
        place,
    )
    assert result == {"first": True, "second": 2, "single": 1, "none": True}


def test_a_message_without_payload_has_none(world: World, place: str) -> None:
    world.process("child", "process.send((...), 'ping')")
    assert world.main(
        "process.spawn('app:child', (...), process.pid()) local m = process.inbox():receive()"
        "return {topic = m:topic(), none = m:payload() == nil}",
        place,
    ) == {"topic": "ping", "none": True}


def test_a_message_of_python_has_no_sender(world: World) -> None:
    pid = world.spawn(world.process("child", "local m = process.inbox():receive() return {m:from() == nil, m:topic()}"))
    box = world.box()
    box.monitor(pid)
    world.send(pid, "x")
    world.run()
    assert box.events[0].result == {"value": [True, "x"]}


def test_fields_of_a_table_payload_are_fields_of_the_message(world: World) -> None:
    assert world.main(
        """
        process.send(process.pid(), "t", {approved = true, topic = "shadowed"})
        local m = process.inbox():receive()
        return {approved = m.approved, missing = m.nothing == nil, topic = m:topic()}
        """
    ) == {"approved": True, "missing": True, "topic": "t"}


def test_sending_to_oneself_is_allowed(world: World) -> None:
    assert world.main("process.send(process.pid(), 'me', 5) return process.inbox():receive():payload():data()") == 5


def test_sending_to_a_registered_name_reaches_its_process(world: World, place: str) -> None:
    world.process(
        "child",
        "process.registry.register('worker') process.send((...), 'up') "
        "process.send((...), 'got', process.inbox():receive():payload():data())",
    )
    assert (
        world.main(
            """
        process.spawn("app:child", (...), process.pid())
        local inbox = process.inbox()
        inbox:receive()
        local ok, err = process.send("worker", "x", 9)
        if not ok then return nil, err end
        return inbox:receive():payload():data()
        """,
            place,
        )
        == 9
    )


def test_an_unknown_name_is_not_found_by_name(world: World) -> None:
    assert world.main("local ok, err = process.send('nobody', 't') return {ok == nil, err:kind(), err:message()}") == [
        True,
        "NotFound",
        "could not resolve 'nobody'",
    ]


def test_a_process_that_ended_is_not_found(world: World, place: str) -> None:
    world.process("child", "return 1")
    assert world.main(
        """
        local pid = process.spawn_monitored("app:child", (...))
        process.events():receive()
        local ok, err = process.send(pid, "late", 1)
        return {ok == nil, err:kind()}
        """,
        place,
    ) == [True, "NotFound"]


@pytest.mark.parametrize("dest", ["{app:here|0x00004}", "{nowhere|0x1}", "{n@app:here|0x00004}", "{a|b|c}"])
def test_a_pid_that_never_lived_is_not_found(world: World, dest: str) -> None:
    assert world.main("local ok, err = process.send((...), 't') return {ok == nil, err:kind()}", dest) == [
        True,
        "NotFound",
    ]


def test_topics_that_begin_with_at_are_refused(world: World, place: str) -> None:
    world.process("child", "process.inbox():receive()")
    assert world.main(
        "local pid = process.spawn('app:child', (...)) local ok, err = process.send(pid, '@events', 1)"
        "return {ok == nil, err:kind(), err:message():find('cannot send to @ topics', 1, true) ~= nil}",
        place,
    ) == [True, "Invalid", True]


@pytest.mark.parametrize("arguments", ["", "process.pid()", "nil, 't'", "process.pid(), 5", "5, 't'", "{}, 't'"])
def test_wrong_arguments_of_send_are_invalid(world: World, arguments: str) -> None:
    assert world.main(f"local ok, err = process.send({arguments}) return {{ok == nil, err:kind()}}") == [
        True,
        "Invalid",
    ]


def test_the_host_of_a_target_that_stops_still_takes_messages_between_living_processes(world: World) -> None:
    world.process("child", "local m = process.inbox():receive() process.send((...), 'got', m:payload():data())")
    pid = world.spawn(
        world.process(
            "main",
            """
        local child = process.spawn("app:child", "app:there", process.pid())
        local go = process.inbox():receive()
        process.send(child, "x", 3)
        return process.inbox():receive():payload():data()
    """,
        )
    )
    box = world.box()
    box.monitor(pid)
    world.run()
    world.board.set_host(world.hosts[THERE], "stopping")
    for node in world.hosts[THERE].nodes:
        node.post([Input.STOPPING, "scheduler shutdown"])
    world.run()
    world.send(pid, "go")
    world.run()
    assert box.events[0].result == {"value": 3}


def test_messages_of_one_sender_arrive_in_order(world: World, place: str) -> None:
    world.process("child", "for i = 1, 300 do process.send((...), 't', i) end")
    assert (
        world.main(
            """
        process.spawn("app:child", (...), process.pid())
        local inbox = process.inbox()
        for i = 1, 300 do
          local v = inbox:receive():payload():data()
          if v ~= i then return v end
        end
        return "in order"
        """,
            place,
        )
        == "in order"
    )


def test_the_exit_comes_after_everything_that_the_process_sent(world: World, place: str) -> None:
    world.process("child", "for i = 1, 50 do process.send((...), 't', i) end return 'done'")
    assert world.main(
        """
        process.spawn_monitored("app:child", (...), process.pid())
        local event = process.events():receive()
        local inbox, n = process.inbox(), 0
        while true do
          local r = channel.select{inbox:case_receive(), default = true}
          if r.default then break end
          n = n + 1
        end
        return {n, event.result.value}
        """,
        place,
    ) == [50, "done"]


def test_messages_to_a_terminated_process_that_were_under_way_become_dead_letters(world: World) -> None:
    world.process("child", "process.inbox():receive() process.inbox():receive()")
    pid = world.spawn("app:child", host=THERE)
    world.run()
    world.process("main", "process.terminate((...)) local ok = process.send((...), 'late', 1) return ok")
    assert world.exec("app:main", pid) is True
    world.run()
    letters = world.dead_letters()
    assert [(letter.to, letter.topic) for letter in letters] == [(pid, "late")]


def test_what_is_sent_is_copied_at_once(world: World, place: str) -> None:
    world.process("child", "local d = process.inbox():receive():payload():data() process.send((...), 'seen', d)")
    assert world.main(
        """
        local pid = process.spawn("app:child", (...), process.pid())
        local t = {n = 1, inner = {m = 1}}
        process.send(pid, "t", t)
        t.n, t.inner.m = 2, 2
        return process.inbox():receive():payload():data()
        """,
        place,
    ) == {"n": 1, "inner": {"m": 1}}


def test_python_receives_payloads_with_holes_as_a_list(world: World) -> None:
    box = world.box()
    world.main(
        "process.send((...), 't', nil, 2) process.send((...), 'u', 1, nil, nil, 4) process.send((...), 'v')", box.pid
    )
    assert [(topic, payloads) for topic, _, payloads in box.messages] == [
        ("t", [None, 2]),
        ("u", [1, None, None, 4]),
        ("v", []),
    ]


def test_a_send_with_other_coroutines_ready_lets_them_go_first(world: World) -> None:
    assert world.main(
        """
        local order = {}
        local ch = channel.new(0)
        coroutine.spawn(function() ch:receive() order[#order + 1] = "partner" end)
        ch:send(1)
        order[#order + 1] = "caller"
        process.send(process.pid(), "t")
        order[#order + 1] = "after"
        return order
        """
    ) == ["caller", "partner", "after"]


def test_the_local_node_name_may_be_left_out_of_a_pid_or_given(world: World) -> None:
    named = World(node="n1")
    assert named.main(
        """
        local me = process.pid()
        if not me:find("^{n1@app:here|0x") then return me end
        local bare = me:gsub("n1@", "")
        local ok, err = process.send(bare, "t", 1)
        local other, problem = process.send((me:gsub("n1@", "n2@")), "t", 1)
        return {ok, other == nil, problem:kind(), process.inbox():receive():from() == me}
        """
    ) == [True, True, "NotFound", True]
    assert world.main("local me = process.pid() return {me:find('^{app:here|0x') ~= nil, process.id()}", host=HERE) == [
        True,
        "app:main",
    ]
