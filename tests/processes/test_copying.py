"""What happens to values that cross a boundary (spec lua-api.md §2, processes.md §5)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.errors import ProcessError
from tests.processes.harness import World


def sent(world: World, place: str, make: str, check: str) -> Any:
    """Send the value of `make` to another process; return what `check` says of it there as `v`."""
    world.process(
        "other",
        f"local v = process.inbox():receive():payload():data() process.send((...), 'a', (function() {check} end)())",
    )
    return world.main(
        f"""
        local pid = process.spawn("app:other", (...), process.pid())
        local ok, err = process.send(pid, "v", (function() {make} end)())
        if not ok then return {{failed = err:kind(), message = err:message()}} end
        local p = process.inbox():receive():payload()
        return p and p:data()
        """,
        place,
    )


def test_cycles_survive(world: World, place: str) -> None:
    assert sent(
        world,
        place,
        "local t = {name = 'root', child = {}} t.self = t t.child.parent = t t[t] = 'key' return t",
        "return {v.self == v, v.child.parent == v, v[v], v.name}",
    ) == [True, True, "key", "root"]


def test_shared_references_survive(world: World, place: str) -> None:
    assert sent(
        world,
        place,
        "local s = {1} return {a = s, b = s, list = {s, s, {s}}, other = {1}}",
        "return {v.a == v.b, v.list[1] == v.a, v.list[3][1] == v.a, v.other ~= v.a}",
    ) == [True, True, True, True]


def test_long_chains_and_deep_nesting_survive(world: World, place: str) -> None:
    assert (
        sent(
            world,
            place,
            "local t = {} for i = 1, 30000 do t = {next = t} end return t",
            "local n = 0 while v.next do v = v.next n = n + 1 end return n",
        )
        == 30000
    )


def test_tables_that_are_keys_are_copied_and_may_nest_deep(world: World, place: str) -> None:
    assert (
        sent(
            world,
            place,
            "local t = {} for i = 1, 3000 do t = {[t] = i} end return t",
            "local n = 0 while next(v) do v = next(v) n = n + 1 end return n",
        )
        == 3000
    )


def test_wide_tables_of_tables_survive(world: World, place: str) -> None:
    assert (
        sent(
            world,
            place,
            "local t = {} for i = 1, 2000 do t[i] = {i, {i}} end return t",
            "local sum = 0 for i = 1, #v do sum = sum + v[i][2][1] end return sum",
        )
        == 2001000
    )


def test_metatables_do_not_travel(world: World, place: str) -> None:
    assert sent(
        world,
        place,
        "return setmetatable({a = 1, inner = setmetatable({b = 2}, {__index = {c = 3}})}, {__index = {d = 4}})",
        "return {v.a, v.inner.b, v.inner.c == nil, v.d == nil, getmetatable(v) == nil}",
    ) == [1, 2, True, True, True]


def test_the_mark_of_an_empty_object_travels(world: World, place: str) -> None:
    world.process("other", "process.send((...), 'back', process.inbox():receive():payload():data())")
    assert world.main(
        """
        local json = require("json")
        local pid = process.spawn("app:other", (...), process.pid())
        process.send(pid, "v", {o = json.decode("{}"), l = json.decode("[]")})
        return process.inbox():receive():payload():data()
        """,
        place,
    ) == {"o": {}, "l": []}


def test_an_empty_dict_of_python_comes_back_as_one(world: World) -> None:
    assert world.main("return {...}", {}, [], {"a": {}, "b": []}) == [{}, [], {"a": {}, "b": []}]


def test_errors_arrive_with_all_their_fields(world: World, place: str) -> None:
    assert sent(
        world,
        place,
        "return errors.wrap(errors.new{message = 'm', kind = errors.TIMEOUT, retryable = true, details = {a = "
        "{1}}}, 'ctx')",
        "return {type(v), v:message(), v:kind(), v:retryable(), v:details().a[1], tostring(v), v:stack() ~= '', "
        "errors.is(v, errors.TIMEOUT)}",
    ) == ["userdata", "m", "Timeout", True, 1, "ctx: m", True, True]


def test_errors_inside_tables_are_errors(world: World, place: str) -> None:
    assert sent(
        world,
        place,
        "local e = errors.new('x') return {e, {e}, k = {[1] = e}}",
        "return {v[1]:message(), v[1] == v[2][1], v.k[1] == v[1]}",
    ) == ["x", True, True]


def test_an_error_whose_details_hold_itself_survives(world: World, place: str) -> None:
    assert sent(
        world,
        place,
        "local d = {} local e = errors.new{message = 'x', details = d} d.e = e return {e}",
        "return {v[1]:message(), v[1]:details().e == v[1]}",
    ) == ["x", True]


def test_a_payload_arrives_as_its_content(world: World, place: str) -> None:
    assert sent(
        world,
        place,
        "return {payload.new({1, 2}), payload.new('text'), payload.new(payload.new(5))}",
        "return {v[1][2], v[2], v[3]}",
    ) == [2, "text", 5]


def test_a_payload_alone_arrives_as_its_content(world: World, place: str) -> None:
    assert sent(world, place, "return payload.new({a = 1})", "return v.a") == 1


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("channel.new()", "channel"),
        ("process.inbox()", "channel"),
        ("time.now()", "time"),
        ("process.with_context{}", "spawner"),
        ("process.inbox():case_receive()", "channel case"),
    ],
)
def test_runtime_objects_arrive_as_nil_with_one_warning_that_names_the_path(
    world: World, place: str, made: str, named: str
) -> None:
    assert sent(
        world,
        place,
        f"local o = {made} return {{a = 1, deep = {{x = o, y = o, 3}}}}",
        "return {v.a, v.deep.x == nil, v.deep[1]}",
    ) == [1, True, 3]
    assert len(world.warnings()) == 1
    assert f"a {named} in message 'v' of app:main" in world.warnings()[0].lower()
    assert "(at value.deep." in world.warnings()[0]


def test_runtime_objects_in_arguments_and_results_warn_too(world: World, place: str) -> None:
    world.process("child", "local a, b = ... return {a == nil, b, channel.new(), 4}")
    assert world.main(
        "local v, err = process.exec('app:child', (...), channel.new(), 2) return v",
        place,
    ) in ([True, 2, None, 4], {1: True, 2: 2, 4: 4})
    assert len(world.warnings()) == 2
    assert "the arguments of app:child" in world.warnings()[0]
    assert "the result of app:child" in world.warnings()[1]


def test_a_warning_is_not_repeated_for_a_later_clean_message(world: World) -> None:
    world.main(
        """
        process.send(process.pid(), "a", {channel.new()})
        process.send(process.pid(), "b", {channel.new(), print})
        process.send(process.pid(), "c", {1})
        process.send(process.pid(), "d", {{1}})
        """
    )
    assert len(world.warnings()) == 1


@pytest.mark.parametrize(
    ("made", "path", "kind"),
    [
        ("print", "", "function"),
        ("coroutine.create(print)", "", "thread"),
        ("{a = print}", "value.a", "function"),
        ("{1, {b = {coroutine.create(print)}}}", "value[2].b[1]", "thread"),
        ("{[print] = 1}", "value[key]", "function"),
        ("{x = {[{print}] = 1}}", "value.x[key][1]", "function"),
        ("{e = errors.new{message = 'm', details = {f = print}}}", "value.e:details().f", "function"),
        ("{payload.new(print)}", "value[1]", "function"),
        ("{payload.new({print})}", "value[1][1]", "function"),
    ],
)
def test_functions_and_threads_are_refused_with_their_path(
    world: World, place: str, made: str, path: str, kind: str
) -> None:
    found = sent(world, place, f"return {made}", "return v")
    assert found["failed"] == "Invalid"
    assert f"a {kind} cannot be sent" in found["message"]
    assert path in found["message"]


@pytest.mark.parametrize(
    "call",
    [
        "process.spawn('app:child', 'app:here', print)",
        "process.spawn('app:child', 'app:there', {print})",
        "process.exec('app:child', 'app:here', print)",
        "process.with_context{}:spawn('app:child', 'app:here', 1, print)",
        "process.send(process.pid(), 't', 1, print)",
    ],
)
def test_every_call_refuses_functions(world: World, call: str) -> None:
    world.process("child", "print('ran')")
    assert world.main(f"local v, err = {call} return {{v == nil, err:kind()}}") == [True, "Invalid"]
    assert world.printed() == []


def test_arguments_are_copied_and_trailing_nil_is_left_out(world: World, place: str) -> None:
    world.process(
        "child", "local t = (select(2, ...)) t.n = 2 return {count = select('#', ...), n = t.n, first = (...) == nil}"
    )
    assert world.main(
        """
        local t = {n = 1}
        local r = process.exec("app:child", (...), nil, t, nil, nil)
        return {r.count, r.n, r.first, t.n}
        """,
        place,
    ) == [2, 2, True, 1]


def test_results_are_copied(world: World, place: str) -> None:
    world.process("child", "local s = {} return {s, s, {s}}")
    assert world.main("local r = process.exec('app:child', (...)) return {r[1] == r[2], r[3][1] == r[1]}", place) == [
        True,
        True,
    ]


# to and from Python


def test_a_cyclic_table_cannot_go_to_python_and_the_path_is_told(world: World) -> None:
    box = world.box()
    result = world.main(
        "local t = {a = {}} t.a.b = t local ok, err = process.send((...), 'x', t) return {ok == nil, err:kind(), "
        "err:message()}",
        box.pid,
    )
    assert result[:2] == [True, "Invalid"]
    assert "value.a.b" in result[2]
    assert box.messages == []


def test_a_cyclic_result_fails_for_python(world: World) -> None:
    with pytest.raises(ProcessError, match=r"app:main.*contains itself.*value\.t") as caught:
        world.main("local t = {} t.t = t return t")
    assert caught.value.kind == "Invalid"


def test_a_monitoring_mailbox_hears_of_an_end_whose_value_cannot_cross(world: World) -> None:
    box = world.box()
    pid = world.spawn(world.process("child", "process.inbox():receive() local t = {} t.t = t return t"))
    box.monitor(pid)
    world.send(pid, "go")
    world.run()
    assert box.events[0].result["error"].kind == "Invalid"


def test_shared_tables_go_to_python_as_equal_values(world: World) -> None:
    assert world.main("local s = {1} return {s, s}") == [[1], [1]]


@pytest.mark.parametrize(
    ("lua", "value"),
    [
        ("1", 1),
        ("1.5", 1.5),
        ("2^53", 2**53),
        ("-2^53", -(2**53)),
        ("2^53 * 2", float(2**54)),
        ("-1", -1),
        ("-33", -33),
        ("-70000", -70000),
        ("-5000000000", -5000000000),
        ("1/0", float("inf")),
        ("'text'", "text"),
        ("'\\255'", b"\xff"),
        ("'\\0'", "\x00"),
        ("{}", []),
        ("{1, 2}", [1, 2]),
        ("{a = 1}", {"a": 1}),
        ("{[2] = 1}", {2: 1}),
        ("{1, nil, 3, x = true}", {1: 1, 3: 3, "x": True}),
        ("{[true] = 1, [1.5] = 2}", {True: 1, 1.5: 2}),
    ],
)
def test_values_go_to_python_by_the_mapping(world: World, lua: str, value: Any) -> None:
    result = world.main(f"return {{{lua}}}")[0] if lua != "nil" else None
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        127,
        128,
        255,
        256,
        65535,
        65536,
        2**32 - 1,
        2**32,
        2**53,
        -32,
        -33,
        -128,
        -129,
        -32769,
        -(2**31) - 1,
        -(2**53),
        0.1,
        1e300,
        "",
        "ä",
        b"\x80",
        [1, [2, {"x": None}]],
        {"k": [1]},
        {5: "five"},
        "x" * 70000,
    ],
)
def test_values_of_python_come_back_as_they_were(world: World, value: Any) -> None:
    expected: Any = [1, [2, []]] if value == [1, [2, {"x": None}]] else value
    result = world.main("return (...)", value)
    assert result == expected or (value == [1, [2, {"x": None}]] and result == [1, [2, {}]])


def test_deep_values_are_refused_towards_python(world: World) -> None:
    with pytest.raises(ProcessError, match="nested deeper than 200"):
        world.main("local t = {} for i = 1, 300 do t = {t} end return t")
