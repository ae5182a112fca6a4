"""The module `store` and `store.memory` (spec lua-api.md §22, registry.md §11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.modules.app import THERE, App


def store(name: str = "store", **data: Any) -> dict[str, Any]:
    return {"id": f"app:{name}", "kind": "store.memory", "data": {"lifecycle": {"auto_start": True}, **data}}


@pytest.fixture
def app() -> Iterator[App]:
    with App(store(), store("small", max_size=2), store("never", cleanup_interval="0s")) as running:
        yield running


HEAD = 'local s = assert(store.get("app:store")) '


def test_what_is_set_can_be_got_everywhere(app: App) -> None:
    assert app.run(HEAD + 'local ok, err = s:set("k", {n = 1, list = {1, 2}}) return {ok, err == nil}') == [True, True]
    assert app.run(HEAD + 'local v, err = s:get("k") return {v, err == nil}', host=THERE) == [
        {"n": 1, "list": [1, 2]},
        True,
    ]


def test_values_come_back_as_they_were_and_are_copies(app: App) -> None:
    assert app.run(
        HEAD
        + """
        local shared = {}
        local t = {shared, shared}
        t.me = t
        s:set("graph", t)
        local a, b = s:get("graph"), s:get("graph")
        s:set("false", false)
        s:set("bytes", "\\0\\xff")
        s:set("err", errors.new({message = "m", kind = "Conflict"}))
        s:set("object", json.object())
        t.late = 1
        return {a.me == a, a[1] == a[2], a ~= b, s:get("graph").late == nil, s:get("false"),
          s:get("bytes") == "\\0\\xff", s:get("err"):kind(), json.encode(s:get("object"))}
        """
    ) == [True, True, True, True, False, True, "Conflict", "{}"]


def test_has_and_delete_tell_whether_the_key_is_there(app: App) -> None:
    assert app.run(HEAD + 's:set("k", 1) return {s:has("k"), s:delete("k"), s:has("k"), s:delete("k")}') == [
        True,
        True,
        False,
        False,
    ]


def test_values_expire_after_their_time_to_live(app: App) -> None:
    assert app.run(
        HEAD
        + """
        s:set("k", 1, 10)
        s:put("p", 1, {ttl = 10})
        s:set("kept", 1)
        time.sleep("9s")
        local before = {s:has("k"), s:get("p")}
        time.sleep("1s")
        local v, err = s:get("k")
        return {before, v == nil, err:kind(), s:has("p"), s:delete("p"), #s:list().items, s:info().size}
        """
    ) == [[True, 1], True, "NotFound", False, False, 1, 1]


def test_a_new_value_has_a_new_version_and_forgets_the_time_to_live(app: App) -> None:
    assert app.run(
        HEAD
        + """
        s:set("k", "a", 10)
        local one = s:entry("k")
        s:set("k", "b")
        local two = s:entry("k")
        s:delete("k")
        local three = s:put("k", "c")
        time.sleep("11s")
        return {one.key, one.value, two.value, two.version > one.version, three.version > two.version, three.value,
          s:get("k")}
        """
    ) == ["k", "a", "b", True, True, "c", "c"]


def test_put_under_conditions(app: App) -> None:
    assert app.run(
        HEAD
        + """
        local made = s:put("k", 1, {only_if_absent = true})
        local _, exists = s:put("k", 2, {only_if_absent = true})
        local changed = s:put("k", 2, {if_version = made.version})
        local _, stale = s:put("k", 3, {if_version = made.version})
        local _, missing = s:put("other", 3, {if_version = 1})
        local _, both = s:put("k", 3, {if_version = 1, only_if_absent = true})
        return {made.value, exists:kind(), changed.value, stale:kind(), stale:retryable(), missing:kind(), both:kind(),
          s:get("k")}
        """
    ) == [1, "AlreadyExists", 2, "Conflict", True, "Conflict", "Invalid", 2]


def test_list_goes_through_the_keys_in_order_page_by_page(app: App) -> None:
    assert app.run(
        HEAD
        + """
        for _, k in ipairs({"b/2", "a/1", "b/1", "c/1", "b/3"}) do s:set(k, k .. "!") end
        local function shown(page)
          local keys = {}
          for i, item in ipairs(page.items) do keys[i] = item.key .. "=" .. item.value end
          return table.concat(keys, " ") .. " " .. tostring(page.has_more) .. " " .. tostring(page.cursor)
        end
        local first = s:list({prefix = "b/", limit = 2})
        return {shown(first), shown(s:list({prefix = "b/", after = first.cursor})), shown(s:list()),
          shown(s:list({prefix = "x"})), first.items[1].version > 0}
        """
    ) == [
        "b/1=b/1! b/2=b/2! true b/2",
        "b/3=b/3! false b/3",
        "a/1=a/1! b/1=b/1! b/2=b/2! b/3=b/3! c/1=c/1! false c/1",
        " false nil",
        True,
    ]


def test_a_full_store_refuses_new_keys_but_not_new_values(app: App) -> None:
    assert app.run(
        """
        local s = store.get("app:small")
        s:set("a", 1) s:set("b", 1, 5)
        local _, full = s:set("c", 1)
        local again = s:set("a", 2)
        time.sleep("6s")
        return {full:kind(), again, s:set("c", 1)}
        """
    ) == ["LimitExceeded", True, True]


def test_info_and_the_constants(app: App) -> None:
    assert app.run(HEAD + 's:set("k", 1) return {s:info(), store.backend.MEMORY, store.consistency.STRONG}') == [
        {"id": "app:store", "backend": "memory", "consistency": "strong", "size": 1, "max_size": 10000},
        "memory",
        "strong",
    ]


def test_a_released_store_refuses_everything(app: App) -> None:
    assert app.run(
        HEAD
        + """
        local first, second = s:release(), s:release()
        local kinds = {}
        for i, name in ipairs({"get", "has", "delete", "set", "put", "entry", "list", "info"}) do
          local v, err = s[name](s, "k", 1)
          kinds[i] = v == nil and err:kind()
        end
        return {first, second, kinds}
        """
    ) == [True, True, ["Invalid"] * 8]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ('store.get("")', "Invalid"),
        ('store.get("app:nothing")', "NotFound"),
        ('store.get("app:here")', "Invalid"),
        ('s:get("missing")', "NotFound"),
        ('s:entry("missing")', "NotFound"),
        ('s:get("")', "Invalid"),
        ("s:get(1)", "Invalid"),
        ('s:set("k", nil)', "Invalid"),
        ('s:set("k", print)', "Invalid"),
        ('s:set("k", channel.new())', "Invalid"),
        ('s:set("k", 1, 0)', "Invalid"),
        ('s:set("k", 1, "5s")', "Invalid"),
        ('s:put("k", 1, {ttl = -1})', "Invalid"),
        ('s:put("k", 1, 5)', "Invalid"),
        ('s:put("k", 1, {only_if_absent = 1})', "Invalid"),
        ('s:put("k", 1, {if_version = "1"})', "Invalid"),
        ("s:list({limit = 0})", "Invalid"),
        ("s:list({limit = 1.5})", "Invalid"),
        ("s:list({prefix = 1})", "Invalid"),
        ("s:list({after = 1})", "Invalid"),
        ("s:list(1)", "Invalid"),
    ],
)
def test_refusals_have_their_kind(app: App, call: str, kind: str) -> None:
    assert app.run(HEAD + f"local v, err = {call} return {{v = v, kind = err:kind()}}") == {"kind": kind}


def test_a_store_that_does_not_run_is_unavailable_and_forgets(app: App) -> None:
    app.run(HEAD + 's:set("k", 1)')
    app.rt.stop_service("app:store")
    assert app.run('local s, err = store.get("app:store") return {err:kind(), err:retryable()}') == [
        "Unavailable",
        True,
    ]
    app.rt.start_service("app:store")
    assert app.run(HEAD + 'return s:has("k")') is False


def test_a_store_can_be_used_at_the_top_level_of_a_script(app: App) -> None:
    from registry import ChangeSet

    source = 'require("store").get("app:store"):set("top", 1) return {main = function() return 1 end}'
    entry = {"id": "app:top", "kind": "process.lua", "data": {"source": source, "modules": ["store"]}}
    app.registry.apply(ChangeSet().create(entry))
    app.rt.exec("app:top", "app:here")
    assert app.run(HEAD + 'return s:get("top")') == 1


def test_expired_values_are_removed_by_and_by(app: App) -> None:
    for name, left in (("store", 1), ("never", 51)):
        app.run(f'local s = store.get("app:{name}") for i = 1, 50 do s:set("k" .. i, i, 1) end')
        app.clock.advance(301.0)
        app.run(f'store.get("app:{name}"):set("fresh", 1)')
        assert len(app.rt._machine._stores._stores[f"app:{name}"]._items) == left
