"""The module `registry` (spec lua-api.md §18, registry.md §6, §8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry import ChangeSet, NoHistory
from tests.modules.app import HERE, App, process


def setting(name: str, **data: Any) -> dict[str, Any]:
    return {"id": f"cfg:{name}", "kind": "registry.entry", "meta": {"tag": name, "n": 2}, "data": data}


@pytest.fixture
def app() -> Iterator[App]:
    with App(setting("one", value=1), setting("two", value={"deep": [1, 2]})) as running:
        yield running


CHANGES = "local c = registry.snapshot():changes() "


def test_get_returns_a_copy_of_the_whole_entry(app: App) -> None:
    assert app.run(
        """
        local e, err = registry.get("cfg:two")
        e.data.value.deep[1] = 99
        return {registry.get("cfg:two"), err == nil, registry.get({ns = "cfg", name = "one"}).data.value}
        """
    ) == [
        {
            "id": "cfg:two",
            "kind": "registry.entry",
            "meta": {"tag": "two", "n": 2},
            "data": {"value": {"deep": [1, 2]}},
        },
        True,
        1,
    ]


def test_find_takes_the_conditions_of_the_registry(app: App) -> None:
    assert app.run(
        """
        local function ids(list) local t = {} for i, e in ipairs(list) do t[i] = e.id end return t end
        return {ids(registry.find({[".kind"] = "registry.entry"})), ids(registry.find({meta = {tag = "one"}})),
          ids(registry.find({["~meta.tag"] = "^t", [".ns"] = "cfg"})), ids(registry.find({["meta.n"] = 2})),
          #registry.find({}) == #registry.snapshot():entries()}
        """
    ) == [["cfg:one", "cfg:two"], ["cfg:one"], ["cfg:two"], ["cfg:one", "cfg:two"], True]


def test_parse_id_never_fails(app: App) -> None:
    assert app.run(
        'local p = registry.parse_id return {p("a:b"), p("bare"), p("a:b:c"), p(""), select("#", p("a:b"))}'
    ) == [
        {"ns": "a", "name": "b"},
        {"ns": "", "name": "bare"},
        {"ns": "a", "name": "b:c"},
        {"ns": "", "name": ""},
        1,
    ]


def test_changes_are_applied_and_give_the_new_version(app: App) -> None:
    assert app.run(
        CHANGES
        + """
        c:create({id = "cfg:three", kind = "registry.entry", meta = {a = 1}, data = {v = 3}})
         :update({id = "cfg:one", kind = "", data = {value = 10}})
         :delete("cfg:two")
        local ops = c:ops()
        local v, err = c:apply()
        local _, gone = registry.get("cfg:two")
        return {#ops, ops[1].kind, ops[1].entry.id, ops[3].kind, v:id(), v:string(), err == nil,
          registry.get("cfg:three").data.v, registry.get("cfg:one"), gone:kind(), registry.current_version():id()}
        """
    ) == [
        3,
        "entry.create",
        "cfg:three",
        "entry.delete",
        2,
        "v2",
        True,
        3,
        {"id": "cfg:one", "kind": "registry.entry", "meta": {}, "data": {"value": 10}},
        "NotFound",
        2,
    ]


def test_ids_may_be_given_by_their_parts(app: App) -> None:
    assert app.run(
        CHANGES
        + """
        c:create({id = {ns = "cfg", name = "parts"}, kind = "registry.entry", data = {}})
        c:delete({ns = "cfg", name = "one"}):apply()
        local made = registry.get("cfg:parts")
        return {made.id, json.encode(made.data), registry.get("cfg:one") == nil}
        """
    ) == ["cfg:parts", "{}", True]


def test_a_change_set_can_be_applied_once(app: App) -> None:
    assert app.run(
        CHANGES
        + """
        c:delete("cfg:one")
        c:apply()
        local a, again = c:apply()
        local b, late = c:delete("cfg:two")
        return {a == nil, again:kind(), b == nil, late:kind()}
        """
    ) == [True, "Invalid", True, "Invalid"]


def test_a_change_of_the_registry_does_not_invalidate_a_snapshot(app: App) -> None:
    assert app.run(
        """
        local old = registry.snapshot()
        local late = old:changes():update({id = "cfg:two", kind = "registry.entry", data = {value = "late"}})
        old:changes():update({id = "cfg:one", kind = "registry.entry", data = {value = "new"}}):apply()
        return {old:get("cfg:one").data.value, registry.get("cfg:one").data.value, old:version():id(),
          late:apply():id(), #old:find({[".ns"] = "cfg"}), #old:namespace("cfg"),
          #old:entries() == #registry.snapshot():entries()}
        """
    ) == [1, "new", 1, 3, 2, 2, True]


def test_snapshots_of_all_versions(app: App) -> None:
    assert app.run(
        """
        local second = {id = "cfg:one", kind = "registry.entry", data = {value = "second"}}
        registry.snapshot():changes():update(second):apply()
        registry.snapshot():changes():delete("cfg:one"):apply()
        local history = registry.history()
        return {registry.snapshot_at(0):get("cfg:one").data.value, registry.snapshot_at(2):get("cfg:one").data.value,
          (select(2, registry.snapshot_at(3):get("cfg:one"))):kind(),
          history:snapshot_at(history:get_version(2)):get("cfg:one").data.value}
        """
    ) == [1, "second", "NotFound", "second"]


def test_versions_know_their_neighbours(app: App) -> None:
    assert app.run(
        """
        registry.snapshot():changes():delete("cfg:one"):apply()
        local all, ids = registry.versions(), {}
        for i, v in ipairs(all) do ids[i] = v:id() end
        local last, first = all[#all], all[1]
        return {ids, last:previous():id(), last:next() == nil, first:previous() == nil, first:next():id(),
          first:string(), #registry.history():versions(), registry.history():get_version(1):id()}
        """
    ) == [[0, 1, 2], 1, True, True, 1, "v0", 3, 1]


def test_going_back_and_forward_between_versions(app: App) -> None:
    assert app.run(
        """
        local before = registry.current_version()
        local after = registry.snapshot():changes():delete("cfg:one"):apply()
        local back, err = registry.apply_version(before)
        local there = registry.get("cfg:one") ~= nil
        local forward = registry.apply_version(after)
        return {back, err == nil, there, forward, registry.get("cfg:one") == nil, registry.current_version():id()}
        """
    ) == [True, True, True, True, True, 2]


def test_build_delta_orders_what_differs(app: App) -> None:
    assert app.run(
        """
        local function e(name, value) return {id = "x:" .. name, kind = "registry.entry", data = {v = value}} end
        local before, after = {e("same", 1), e("old", 1), e("changed", 1)}, {e("same", 1), e("changed", 2), e("new", 1)}
        local ops = registry.build_delta(before, after)
        local shown = {}
        for i, op in ipairs(ops) do shown[i] = op.kind .. " " .. op.entry.id end
        local s = registry.snapshot()
        return {shown, #registry.build_delta(s, s), registry.build_delta({}, {e("a", 5)})[1].entry.data.v}
        """
    ) == [["entry.delete x:old", "entry.update x:changed", "entry.create x:new"], 0, 5]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ('registry.get("cfg:none")', "NotFound"),
        ('registry.get("none")', "Invalid"),
        ('registry.get("")', "Invalid"),
        ("registry.get(nil)", "Invalid"),
        ('registry.find("x")', "Invalid"),
        ('registry.find({type = "x"})', "Invalid"),
        ('registry.find({["~meta.tag"] = "("})', "Invalid"),
        ("registry.find({[print] = 1})", "Invalid"),
        ("registry.snapshot_at(-1)", "Invalid"),
        ("registry.snapshot_at(1.5)", "Invalid"),
        ('registry.snapshot_at("1")', "Invalid"),
        ("registry.snapshot_at(99)", "NotFound"),
        ("registry.history():get_version(99)", "NotFound"),
        ('registry.history():get_version("x")', "Invalid"),
        ("registry.history():snapshot_at(nil)", "Invalid"),
        ("registry.build_delta(1, {})", "Invalid"),
        ("registry.build_delta({}, nil)", "Invalid"),
        ('registry.build_delta({{id = "x", kind = "k"}}, {})', "Invalid"),
        ("c:apply()", "Invalid"),
        ("c:create(1)", "Invalid"),
        ('c:create({kind = "registry.entry"})', "Invalid"),
        ('c:create({id = "bare", kind = "registry.entry"})', "Invalid"),
        ('c:create({id = {ns = "x"}, kind = "registry.entry"})', "Invalid"),
        ('c:create({id = "cfg:x"})', "Invalid"),
        ('c:create({id = "cfg:x", kind = ""})', "Invalid"),
        ('c:create({id = "cfg:x", kind = "registry.entry", meta = 1})', "Invalid"),
        ('c:create({id = "cfg:x", kind = "registry.entry", data = {f = print}})', "Invalid"),
        ('c:update({id = "cfg:one"})', "Invalid"),
        ('c:delete("bare")', "Invalid"),
        ('c:delete("cfg:none"):apply()', "NotFound"),
        ('c:create({id = "cfg:one", kind = "registry.entry", data = {}}):apply()', "Conflict"),
        ('c:update({id = "cfg:none", kind = "registry.entry", data = {}}):apply()', "NotFound"),
        ('c:update({id = "cfg:one", kind = "process.host", data = {}}):apply()', "Invalid"),
        ('c:create({id = "cfg:x", kind = "no.such", data = {}}):apply()', "Invalid"),
        ('c:create({id = "cfg:x", kind = "registry.entry"}):apply()', "Invalid"),
        ('c:create({id = "bad id:x", kind = "registry.entry", data = {}}):apply()', "Invalid"),
    ],
)
def test_refusals_have_their_kind(app: App, call: str, kind: str) -> None:
    result = app.run(CHANGES + f"local v, err = {call} return {{v = v, kind = err and err:kind() or 'none'}}")
    assert result == {"kind": kind}
    assert app.registry.version == 1


def test_apply_version_of_no_version_is_false_and_invalid(app: App) -> None:
    assert app.run("local ok, err = registry.apply_version(1) return {ok, err:kind()}") == [False, "Invalid"]


def test_a_refused_set_tells_which_operation_and_leaves_everything_as_it_was(app: App) -> None:
    assert app.run(
        CHANGES
        + """
        c:update({id = "cfg:one", kind = "registry.entry", data = {value = 5}}):delete("cfg:none")
        local v, err = c:apply()
        return {err:details(), registry.get("cfg:one").data.value, registry.current_version():id()}
        """
    ) == [{"id": "cfg:none", "op": "entry.delete", "cause": "entry not found: cfg:none"}, 1, 1]


def test_bad_lua_in_a_change_set_is_refused_with_its_line(app: App) -> None:
    kind, message, there = app.run(
        CHANGES
        + """
        c:create({id = "app:bad", kind = "process.lua", data = {source = "local x = 1\\nreturn return"}})
        local v, err = c:apply()
        return {err:kind(), err:message(), registry.get("app:bad") ~= nil}
        """
    )
    assert (kind, there) == ("Invalid", False)
    assert "app:bad" in message
    assert ":2" in message


def test_apply_may_not_be_called_at_the_top_level_but_reads_may() -> None:
    reader = process("top", "")
    reader["data"]["source"] = """
        local registry = require("registry")
        local kind = registry.get("app:here").kind
        local ok, err = pcall(function() registry.snapshot():changes():delete("app:there"):apply() end)
        return {main = function() return {kind, ok, err} end}
        """
    with App(reader) as app:
        kind, ok, text = app.rt.exec("app:top", HERE)
        assert (kind, ok) == ("process.host", False)
        assert "top level" in text


def test_other_processes_go_on_while_one_applies(app: App) -> None:
    assert app.run(
        CHANGES
        + """
        local order = {}
        coroutine.spawn(function() order[#order + 1] = "other" end)
        c:delete("cfg:one")
        c:apply()
        order[#order + 1] = "applied"
        return order
        """
    ) == ["other", "applied"]


def test_without_history_only_the_current_version_is_known() -> None:
    with App(setting("one", value=1), history=NoHistory()) as app:
        assert app.run(
            """
            local old = registry.snapshot()
            old:changes():update({id = "cfg:one", kind = "registry.entry", data = {value = 2}}):apply()
            local v, err = registry.history():get_version(0)
            return {#registry.versions(), err:kind(), old:get("cfg:one").data.value}
            """
        ) == [1, "NotFound", 1]


def test_an_applied_entry_runs_and_a_deleted_one_is_gone(app: App) -> None:
    assert app.run(
        """
        local source = "return {main = function(n) return n * 2 end}"
        registry.snapshot():changes():create({id = "app:made", kind = "process.lua", data = {source = source}}):apply()
        local doubled = process.exec("app:made", "app:here", 21)
        registry.snapshot():changes():delete("app:made"):apply()
        local v, err = process.spawn("app:made", "app:here")
        return {doubled, err:kind()}
        """
    ) == [42, "NotFound"]


def test_two_processes_that_apply_at_once_wait_for_each_other(app: App) -> None:
    box = app.rt.mailbox()
    body = """
        local reply_to, name = ...
        for i = 1, 5 do
          registry.snapshot():changes():create({id = "made:" .. name .. i, kind = "registry.entry", data = {}}):apply()
        end
        process.send(reply_to, "done")
        """
    app.spawn(body, box.pid, "a", host="app:here")
    app.spawn(body, box.pid, "b", host="app:there")
    for _ in range(2):
        box.receive(timeout=10)
    assert len(app.registry.find({".ns": "made"})) == 10
    box.close()


def test_python_sees_what_lua_applied(app: App) -> None:
    app.run(CHANGES + 'c:update({id = "cfg:one", kind = "registry.entry", data = {value = "lua"}}) c:apply()')
    assert app.registry.get("cfg:one").data == {"value": "lua"}
    app.registry.apply(ChangeSet().delete("cfg:one"))
    assert app.run('return registry.get("cfg:one") == nil')
