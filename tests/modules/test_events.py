"""The module `events` and the event bus (spec lua-api.md §11, OP-18)."""

from __future__ import annotations

import pytest

from actors.events import BusEvent, EventBus, matches
from tests.modules.app import App

LISTEN = """
local reply_to, system, kind, count = ...
local events = require("events")
local sub = assert(events.subscribe(system, kind))
process.send(reply_to, "ready")
local got = {}
for i = 1, count do got[i] = sub:channel():receive() end
process.send(reply_to, "got", got)
"""


def test_an_event_reaches_its_sender_with_all_its_fields(app: App) -> None:
    result = app.run(
        """
        local sub = events.subscribe("shop")
        local ok, err = events.send("shop", "order.made", "order/7", {n = 1})
        local e, more = sub:channel():receive()
        return {ok = ok, no_err = err == nil, e = e, more = more}
        """
    )
    assert result == {
        "ok": True,
        "no_err": True,
        "more": True,
        "e": {"system": "shop", "kind": "order.made", "path": "order/7", "data": {"n": 1}},
    }


def test_an_event_reaches_a_subscriber_on_another_host(app: App, place: str) -> None:
    box = app.rt.mailbox()
    app.spawn(LISTEN, box.pid, "shop", "*", 2, host=place)
    box.receive(timeout=5)
    app.run('events.send("shop", "a", "1", "x") events.send("other", "b", "2") events.send("shop", "c", "3")')
    assert box.receive(timeout=5).payload == [
        {"system": "shop", "kind": "a", "path": "1", "data": "x"},
        {"system": "shop", "kind": "c", "path": "3"},
    ]
    box.close()


def test_events_of_one_sender_arrive_in_order_and_none_is_lost_beyond_the_buffer(app: App, place: str) -> None:
    box = app.rt.mailbox()
    app.spawn(
        """
        local reply_to, n = ...
        local ch = events.subscribe("load"):channel()
        process.send(reply_to, "ready")
        process.inbox():receive()
        local ok = true
        for i = 1, n do ok = ok and ch:receive().data == i end
        process.send(reply_to, "got", ok)
        """,
        box.pid,
        1000,
        host=place,
    )
    reader = box.receive(timeout=5).sender
    app.run('for i = 1, ... do events.send("load", "tick", "p", i) end', 1000)
    assert reader is not None
    app.rt.send(reader, "go")
    assert box.receive(timeout=5).payload is True
    box.close()


def test_cycles_and_shared_tables_arrive_as_they_were(app: App) -> None:
    assert app.run(
        """
        local ch = events.subscribe("s"):channel()
        local shared = {1}
        local t = {a = shared, b = shared}
        t.me = t
        events.send("s", "k", "p", t)
        local d = ch:receive().data
        return d.me == d and d.a == d.b and d ~= t
        """
    )


def test_every_subscriber_gets_its_own_copy(app: App) -> None:
    assert app.run(
        """
        local one, two = events.subscribe("s"):channel(), events.subscribe("s", "k"):channel()
        events.send("s", "k", "p", {list = {}})
        local a, b = one:receive(), two:receive()
        a.data.list[1] = "mine"
        return #b.data.list == 0 and a ~= b
        """
    )


@pytest.mark.parametrize(
    "call",
    [
        'events.subscribe("")',
        'events.subscribe("s", "")',
        'events.send("", "k", "p")',
        'events.send("s", "", "p")',
        'events.send("s", "k", "")',
        'events.send("s", "k", "p", function() end)',
        'events.subscribe(("x"):rep(600))',
    ],
)
def test_empty_and_impossible_arguments_are_invalid(app: App, call: str) -> None:
    assert app.run(f"local v, err = {call} return {{v = v, kind = err:kind()}}") == {"kind": "Invalid"}


@pytest.mark.parametrize("call", ["events.subscribe(1)", 'events.send("s", {}, "p")', "events.subscribe()"])
def test_arguments_of_the_wrong_type_raise(app: App, call: str) -> None:
    assert "string expected" in app.run(f"local ok, err = pcall(function() {call} end) return err")


def test_close_ends_the_channel_and_can_be_called_again(app: App) -> None:
    assert app.run(
        """
        local sub = events.subscribe("s")
        local same = sub:channel() == sub:channel()
        events.send("s", "k", "before")
        time.sleep("1ms")
        local first, second = sub:close(), sub:close()
        events.send("s", "k", "after")
        local e = sub:channel():receive()
        local none, open = sub:channel():receive()
        return {same, first, second, e.path, none == nil, open}
        """
    ) == [True, True, True, "before", True, False]


def test_a_process_that_waits_for_events_is_not_in_a_deadlock(app: App) -> None:
    box = app.rt.mailbox()
    pid = app.spawn(LISTEN, box.pid, "quiet", "*", 1)
    box.receive(timeout=5)
    app.clock.advance(1.0)
    assert app.rt.lookup("x") is None
    assert pid in {info.pid for info in app.rt.processes()}
    box.close()


def test_the_subscriptions_of_an_ended_process_are_forgotten(app: App) -> None:
    app.run('events.subscribe("s") return 1')
    app.run("return 1")
    assert app.rt.bus._subscriptions == {}


def test_subscriptions_end_at_an_upgrade(app: App) -> None:
    second = app.define('events.send("s", "k", "p") time.sleep("1ms") return "upgraded"')
    assert app.run('events.subscribe("s") process.upgrade(...)', second) == "upgraded"
    assert app.rt.bus._subscriptions == {}


def test_python_can_watch_and_publish(app: App) -> None:
    seen: list[BusEvent] = []
    end = app.rt.bus.watch("shop", "order.*", seen.append)
    app.run('events.send("shop", "order.made", "7", {n = 1}) events.send("shop", "stock", "7")')
    end()
    app.run('events.send("shop", "order.made", "8")')
    assert seen == [BusEvent("shop", "order.made", "7", {"n": 1})]
    box = app.rt.mailbox()
    app.spawn(LISTEN, box.pid, "py", "*", 1)
    box.receive(timeout=5)
    app.rt.bus.publish("py", "k", "p", {"list": [1]})
    assert box.receive(timeout=5).payload == [{"system": "py", "kind": "k", "path": "p", "data": {"list": [1]}}]
    box.close()


@pytest.mark.parametrize(
    ("pattern", "text", "meets"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("*", "a.b.c", True),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.*", "a", False),
        ("*.b", "a.b", True),
        ("a.**", "a", True),
        ("a.**", "a.b.c", True),
        ("**.c", "a.b.c", True),
        ("a.**.c", "a.x.y.c", True),
        ("a.**.c", "a.x.y.d", False),
        ("user.cre*", "user.created", True),
        ("user.cre*", "user.created.twice", True),
        ("user.cre*", "user.deleted", False),
        ("us*.created", "user.created", True),
        ("us*.created", "user.x.created", False),
        ("entry.(create|update)", "entry.update", True),
        ("entry.(create|update)", "entry.delete", False),
        ("(a.b|c).d", "a.b.d", True),
        ("(open", "(open", True),
        ("a.c", "abc", False),
        ("[a-z]", "b", False),
    ],
)
def test_patterns(pattern: str, text: str, meets: bool) -> None:
    assert matches(pattern, text) is meets


def test_a_hostile_pattern_costs_little() -> None:
    assert not matches(".".join(["**", "x*a"] * 60), ".".join(["x" * 60] * 120) + ".b")
    assert not matches("(a|b)" * 100, "c")


def test_the_supervisor_tells_of_services_and_is_told_to_stop_and_start_them() -> None:
    service = {
        "id": "app:service",
        "kind": "process.service",
        "data": {"process": "app:idle", "host": "app:here", "lifecycle": {"auto_start": True}},
    }
    from tests.modules.app import process

    with App(process("idle", "process.events():receive()"), service) as app:
        result = app.run(
            """
            local ch = events.subscribe("supervisor", "service.update"):channel()
            local seen = {}
            local function until_status(status)
              repeat
                local e = ch:receive()
                if e.path == "app:service" then seen[#seen + 1] = e.data.status end
              until e.path == "app:service" and e.data.status == status
            end
            events.send("supervisor", "service.stop", "app:service")
            until_status("stopped")
            events.send("supervisor", "service.stop", "app:nobody")
            events.send("supervisor", "service.start", "app:service")
            repeat
              local e = ch:receive()
              last = e.data
            until last.id == "app:service" and last.status == "running"
            return {seen = seen, last = last}
            """
        )
    assert result["seen"][-1] == "stopped"
    assert result["last"]["desired"] == "running"
    assert result["last"]["retry_count"] == 0
    assert result["last"]["started_at"] > 0


def test_control_events_are_ignored_while_a_change_of_the_registry_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with App() as app:
        end = app.registry.watch(
            lambda event: (
                app.rt.bus.publish("supervisor", "service.stop", "app:there") if event.kind == "entry.create" else None
            )
        )
        app.define("return 1")
        end()
        assert {state.id: str(state.status) for state in app.rt.services()}["app:there"] == "running"
    assert "service.stop of app:there is ignored" in caplog.text


def test_the_registry_tells_of_its_changes(app: App) -> None:
    box = app.rt.mailbox()
    app.spawn(LISTEN, box.pid, "registry", "*", 4)
    box.receive(timeout=5)
    app.define("return 1")
    begin, create, accept, commit = box.receive(timeout=5).payload
    assert [e["kind"] for e in (begin, create, accept, commit)] == [
        "registry.begin",
        "entry.create",
        "entry.accept",
        "registry.commit",
    ]
    assert begin["path"] == commit["path"]
    assert create["path"] == accept["path"] == "app:main_2"
    assert create["data"]["kind"] == "process.lua"
    box.close()


def test_without_subscribers_no_data_is_made() -> None:
    with App() as app:
        bus: EventBus = app.rt.bus
        made: list[int] = []
        bus.publish("s", "k", "p", lambda: made.append(1))
        assert made == []


def test_a_failed_service_is_told_with_its_error() -> None:
    from tests.modules.app import process

    service = {
        "id": "app:dies",
        "kind": "process.service",
        "data": {"process": "app:broken", "host": "app:here", "lifecycle": {"restart": {"max_attempts": 2}}},
    }
    broken = process("broken", 'error(errors.new({message = "no way", kind = "Conflict", retryable = true}))')
    with App(broken, service) as app:
        result = app.run(
            """
            local ch = events.subscribe("supervisor", "service.update"):channel()
            events.send("supervisor", "service.start", "app:dies")
            while true do
              local e = ch:receive()
              if e.path == "app:dies" and e.data.retry_count == 2 then
                return {status = e.data.status, desired = e.data.desired, details = tostring(e.data.details)}
              end
            end
            """
        )
    assert result["status"] == "failed"
    assert "no way" in result["details"]
