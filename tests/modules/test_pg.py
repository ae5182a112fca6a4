"""The module `pg` (spec lua-api.md §21, processes.md §11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.modules.app import HERE, THERE, App


def scope(name: str = "scope", **data: Any) -> dict[str, Any]:
    return {"id": f"app:{name}", "kind": "pg.scope", "data": {"lifecycle": {"auto_start": True}, **data}}


@pytest.fixture
def app() -> Iterator[App]:
    with App(scope(), scope("small", max_groups=2, max_members_per_group=3)) as running:
        yield running


MEMBER = """
local reply_to, names = ...
local g = assert(pg.open("app:scope"))
assert(g:join(names))
process.send(reply_to, "ready")
local inbox = process.inbox()
while true do
  local m = inbox:receive()
  if m:topic() == "leave" then
    g:leave(m:payload():data())
    process.send(reply_to, "left")
  elseif m:topic() == "end" then
    return
  else
    process.send(reply_to, m:topic(), m:from(), m:payload() and m:payload():data())
  end
end
"""


def member(app: App, box: Any, names: Any, host: str = HERE) -> str:
    pid = app.spawn(MEMBER, box.pid, names, host=host)
    assert box.receive(timeout=5).topic == "ready"
    return pid


def test_members_of_all_vms_are_seen_from_everywhere(app: App) -> None:
    with_box = app.rt.mailbox()
    one, two = member(app, with_box, "workers", HERE), member(app, with_box, ["workers", "others"], THERE)
    for host in (HERE, THERE):
        assert app.run(
            """
            local g = pg.open("app:scope")
            return {g:get_members("workers"), g:get_local_members("others"), g:which_groups(), g:which_local_groups(),
              g:get_members("nobody")}
            """,
            host=host,
        ) == [[one, two], [two], ["others", "workers"], ["others", "workers"], []]
    with_box.close()


def test_joins_are_counted_and_taken_back_one_by_one(app: App) -> None:
    assert app.run(
        """
        local g = pg.open("app:scope")
        local function count() return #g:get_members("a") end
        local counts = {}
        g:join("a") g:join({"a", "a"})
        counts[1] = count()
        g:leave("a")
        counts[2] = count()
        g:leave({"a", "a", "a"})
        counts[3] = count()
        return {counts, g:which_groups()}
        """
    ) == [[3, 2, 0], []]


def test_scopes_are_apart_from_each_other(app: App) -> None:
    assert app.run('pg.open("app:scope"):join("a") return #pg.open("app:small"):get_members("a")') == 0


def test_a_broadcast_reaches_every_membership_with_sender_and_payloads(app: App) -> None:
    box = app.rt.mailbox()
    member(app, box, "g", HERE)
    member(app, box, ["g", "g"], THERE)
    sender, ok = app.run(
        'return {process.pid(), pg.open("app:scope"):broadcast("g", "news", {n = 1})}',
    )
    got = [box.receive(timeout=5) for _ in range(3)]
    assert ok is True
    assert [(m.topic, m.payload) for m in got] == [("news", [sender, {"n": 1}])] * 3
    app.run('pg.open("app:scope"):broadcast_local("g", "bare")')
    assert [box.receive(timeout=5).topic for _ in range(3)] == ["bare"] * 3
    box.close()


def test_a_broadcast_reaches_its_sender_and_keeps_the_order_of_single_sends(app: App) -> None:
    assert app.run(
        """
        local g = pg.open("app:scope")
        g:join("g")
        g:broadcast("g", "t", 1)
        process.send(process.pid(), "t", 2)
        g:broadcast("g", "t", 3, "more")
        local inbox, got = process.inbox(), {}
        for i = 1, 2 do got[i] = inbox:receive():payload():data() end
        local both = inbox:receive():payload()
        return {got, both[1]:data(), both[2]:data()}
        """
    ) == [[1, 2], 3, "more"]


def test_the_end_of_a_process_ends_its_memberships(app: App, place: str) -> None:
    assert app.run(
        """
        local child, host = ...
        local g = pg.open("app:scope")
        local pid = process.spawn_monitored(child, host)
        process.events():receive()
        return {#g:get_members("a"), g:which_groups()}
        """,
        app.define('pg.open("app:scope"):join({"a", "a", "b"})'),
        place,
    ) == [0, []]


def test_monitor_gives_who_is_there_and_then_every_change(app: App, place: str) -> None:
    box = app.rt.mailbox()
    first = member(app, box, ["g", "g"], place)
    watcher = app.spawn(
        """
        local reply_to = ...
        local g = pg.open("app:scope")
        local sub, members, err = g:monitor("g")
        process.send(reply_to, "ready", members, err == nil)
        while true do
          local e = sub:channel():receive()
          process.send(reply_to, "event", e)
        end
        """,
        box.pid,
    )
    assert box.receive(timeout=5).payload == [[first, first], True]
    second = app.spawn(MEMBER, box.pid, ["g", "other"], host=THERE)

    def until_event() -> Any:
        while (message := box.receive(timeout=5)).topic != "event":
            pass
        return message

    got = [until_event()]
    app.rt.send(first, "leave", "g")
    got.append(until_event())
    app.rt.send(first, "end")
    got.append(until_event())
    expected = [("member.joined", [second]), ("member.left", [first]), ("member.left", [first])]
    assert [m.payload for m in got] == [
        {"system": "pg", "kind": kind, "path": "g", "data": {"Group": "g", "PIDs": pids}} for kind, pids in expected
    ]
    app.rt.terminate(watcher)
    box.close()


def test_a_member_that_ends_is_told_once_for_each_group_with_its_joins(app: App) -> None:
    result = app.run(
        """
        local child = ...
        local g = pg.open("app:scope")
        local sub, groups = g:events()
        local pid = process.spawn_monitored(child, "app:there")
        process.events():receive()
        local seen = {}
        for i = 1, 4 do
          local e = sub:channel():receive()
          seen[i] = e.kind .. " " .. e.path .. " " .. #e.data.PIDs .. tostring(e.data.PIDs[1] == pid)
        end
        return {seen, groups}
        """,
        app.define('pg.open("app:scope"):join({"a", "a", "b"})'),
    )
    assert sorted(result[0]) == [
        "member.joined a 2true",
        "member.joined b 1true",
        "member.left a 2true",
        "member.left b 1true",
    ]
    assert result[1] == {}


def test_events_gives_the_members_of_every_group(app: App) -> None:
    assert app.run(
        """
        local g = pg.open("app:scope")
        g:join({"a", "b", "b"})
        local sub, groups, err = g:events()
        return {#groups.a, #groups.b, groups.a[1] == process.pid(), err == nil}
        """
    ) == [1, 2, True, True]


def test_own_joins_are_told_and_nothing_is_lost_beyond_the_buffer(app: App) -> None:
    assert (
        app.run(
            """
        local g = pg.open("app:scope")
        local sub = g:monitor("g")
        for i = 1, 300 do g:join("g") end
        local n = 0
        for i = 1, 300 do if sub:channel():receive().kind == "member.joined" then n = n + 1 end end
        return n
        """
        )
        == 300
    )


def test_close_keeps_what_waits_unless_it_is_flushed(app: App) -> None:
    assert app.run(
        """
        local g = pg.open("app:scope")
        local kept, flushed = g:monitor("g"), g:monitor("g")
        g:join("g")
        time.sleep("1ms")
        local same = kept:channel() == kept:channel()
        local a, b, again = kept:close(), flushed:close({flush = true}), kept:close()
        g:join("g")
        time.sleep("1ms")
        local e, open = kept:channel():receive()
        local none, still = kept:channel():receive()
        local gone, flushed_open = flushed:channel():receive()
        return {same, a, b, again, e.kind, none == nil, still, gone == nil, flushed_open}
        """
    ) == [True, True, True, True, "member.joined", True, False, True, False]


def test_released_instances_refuse_while_memberships_and_subscriptions_stay(app: App) -> None:
    assert app.run(
        """
        local g = pg.open("app:scope")
        g:join("g")
        local sub = g:monitor("g")
        local first, second = g:release(), g:release()
        local kinds = {}
        for _, name in ipairs({"join", "leave", "get_members", "get_local_members", "which_groups",
            "which_local_groups", "broadcast", "broadcast_local"}) do
          local v, err = g[name](g, "g", "t")
          kinds[#kinds + 1] = err:kind() .. " " .. err:message()
        end
        for _, name in ipairs({"monitor", "events"}) do
          local v, w, err = g[name](g, "g")
          kinds[#kinds + 1] = err:kind() .. " " .. err:message()
        end
        local other = pg.open("app:scope")
        other:join("g")
        return {first, second, kinds, #other:get_members("g"), sub:channel():receive().kind}
        """
    ) == [True, True, ["Invalid pg instance is released"] * 10, 2, "member.joined"]


def test_limits_refuse_all_of_a_list_and_may_be_retried(app: App) -> None:
    assert app.run(
        """
        local g = pg.open("app:small")
        local function refused(names)
          local ok, err = g:join(names)
          return ok == nil and err:kind() .. tostring(err:retryable()) or ok
        end
        return {refused({"a", "b", "c"}), g:which_groups(), refused({"a", "b"}), refused("c"), refused({"a", "a", "a"}),
          #g:get_members("a"), refused({"a", "a"}), refused("a")}
        """
    ) == ["RateLimitedtrue", [], True, "RateLimitedtrue", "RateLimitedtrue", 1, True, "RateLimitedtrue"]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ('pg.open("")', "Invalid"),
        ('pg.open("app:nothing")', "Internal"),
        ('pg.open("app:here")', "Invalid"),
        ('g:join("")', "Invalid"),
        ("g:join({})", "Invalid"),
        ('g:join({"a", ""})', "Invalid"),
        ("g:join(7)", "Invalid"),
        ("g:join()", "Invalid"),
        ('g:leave("a")', "NotFound"),
        ('g:leave({"a", "b"})', "NotFound"),
        ('g:leave("")', "Invalid"),
        ('g:get_members("")', "Invalid"),
        ('g:get_local_members("")', "Invalid"),
        ('g:broadcast("", "t")', "Invalid"),
        ('g:broadcast("g", "@t")', "Invalid"),
        ('g:broadcast("g", "")', "Invalid"),
        ('g:broadcast("g", "t", function() end)', "Invalid"),
        ('g:broadcast_local("", "t")', "Invalid"),
    ],
)
def test_refusals_have_their_kind(app: App, call: str, kind: str) -> None:
    body = f'local g = pg.open("app:scope") local v, err = {call} return {{v = v, kind = err:kind()}}'
    assert app.run(body) == {"kind": kind}


def test_monitor_of_an_empty_name_is_invalid(app: App) -> None:
    assert app.run('local s, m, err = pg.open("app:scope"):monitor("") return {s == nil, m == nil, err:kind()}') == [
        True,
        True,
        "Invalid",
    ]


def test_a_scope_that_does_not_run_is_unavailable_and_starts_empty_again(app: App) -> None:
    box = app.rt.mailbox()
    pid = member(app, box, "g")
    app.rt.stop_service("app:scope")
    assert app.run('local g, err = pg.open("app:scope") return {err:kind(), err:retryable()}') == ["Unavailable", True]
    app.rt.start_service("app:scope")
    assert app.run('return #pg.open("app:scope"):get_members("g")') == 0
    app.rt.send(pid, "leave", "g")
    assert box.receive(timeout=5).topic == "left"
    box.close()


def test_operations_on_a_stopped_scope_are_unavailable(app: App) -> None:
    box = app.rt.mailbox()
    pid = app.spawn(
        """
        local reply_to = ...
        local g = pg.open("app:scope")
        process.send(reply_to, "ready")
        process.inbox():receive()
        local ok, err = g:join("g")
        process.send(reply_to, "kind", err:kind())
        """,
        box.pid,
    )
    box.receive(timeout=5)
    app.rt.stop_service("app:scope")
    app.rt.send(pid, "go")
    assert box.receive(timeout=5).payload == "Unavailable"
    box.close()


def test_memberships_survive_an_upgrade(app: App) -> None:
    second = app.define('return #pg.open("app:scope"):get_members("g")')
    assert app.run('pg.open("app:scope"):join("g") process.upgrade(...)', second) == 1


def test_the_members_of_a_lost_vm_leave(app: App) -> None:
    box = app.rt.mailbox()
    member(app, box, "g", THERE)
    machine = app.rt._machine
    worker = next(host for host in machine.hosts() if host.id == THERE).workers()[0]
    machine.board.lose(worker.vm, "worker lost")
    assert machine._groups.members("app:scope", "g") == []
    box.close()


def test_a_tampered_instance_reaches_nothing(app: App) -> None:
    assert app.run(
        """
        local g = pg.open("app:scope")
        local reached = pcall(rawset, g, 1, {}) and rawget(g, 1)
        local v, err = g:join("a")
        return type(reached) ~= "table" or err:kind() == "Invalid"
        """
    )
