"""ctx, and how values travel down calls and spawns (spec lua-api.md §10)."""

from __future__ import annotations

import pytest

from tests.functions.conftest import MODULES, FunctionWorld
from tests.processes.harness import HERE, THERE


@pytest.fixture
def world() -> FunctionWorld:
    world = FunctionWorld()
    world.function("all", "return ctx.all()")
    world.function("deeper", 'return (funcs.call("app:all"))')
    return world


def test_without_values_the_context_is_empty(world: FunctionWorld) -> None:
    result = world.caller('local v, err = ctx.get("x") return {ctx.all(), v == nil, err:kind(), err:message()}')
    assert result == [[], True, "NotFound", "key not found: x"]


def test_an_empty_key_is_invalid_and_a_key_that_is_no_text_raises(world: FunctionWorld) -> None:
    result = world.caller(
        """
        local v, err = ctx.get("")
        local ok, raised = pcall(ctx.get, 1)
        return {v == nil, err:kind(), tostring(raised)}
        """
    )
    assert result[:2] == [True, "Invalid"]
    assert "bad argument #1 to 'get' (string expected, got number)" in result[2]


def test_a_value_is_found_by_its_key(world: FunctionWorld) -> None:
    world.function("get", 'local v, err = ctx.get("user") return {v.id, err == nil}')
    assert world.caller('return (funcs.new():with_context({user = {id = 7}}):call("app:get"))') == [7, True]


def test_false_is_a_value(world: FunctionWorld) -> None:
    world.function("get", 'local v, err = ctx.get("flag") return {v, err == nil}')
    assert world.caller('return (funcs.new():with_context({flag = false}):call("app:get"))') == [False, True]


def test_what_scripts_get_are_copies(world: FunctionWorld) -> None:
    world.function("spoil", 'ctx.all().list[1] = 9 ctx.get("list")[1] = 9 ctx.all().more = 1 return ctx.all()')
    assert world.caller('return (funcs.new():with_context({list = {1}}):call("app:spoil"))') == {"list": [1]}


def test_a_table_given_to_with_context_is_copied(world: FunctionWorld) -> None:
    result = world.caller(
        """
        local list = {1}
        local exec = funcs.new():with_context({list = list})
        list[1] = 2
        return (exec:call("app:all"))
        """
    )
    assert result == {"list": [1]}


def test_values_are_inherited_down_calls_and_explicit_ones_win(world: FunctionWorld) -> None:
    world.function("mid", 'return (funcs.new():with_context({b = "mid"}):call("app:deeper"))')
    assert world.caller('return (funcs.new():with_context({a = 1, b = 2}):call("app:mid"))') == {"a": 1, "b": "mid"}


def test_values_are_inherited_by_async_calls(world: FunctionWorld) -> None:
    assert world.caller('return funcs.new():with_context({a = 1}):async("app:deeper"):channel():receive():data()') == {
        "a": 1
    }


@pytest.mark.parametrize("host", [HERE, THERE])
def test_values_are_inherited_down_spawns(world: FunctionWorld, host: str) -> None:
    world.process("child", 'return (funcs.call("app:all"))', modules=MODULES)
    world.function("spawns", 'return process.exec("app:child", (...))')
    assert world.caller('return (funcs.new():with_context({a = {1}}):call("app:spawns", ...))', host) == {"a": [1]}


@pytest.mark.parametrize("host", [HERE, THERE])
def test_values_reach_a_process_that_is_called(world: FunctionWorld, host: str) -> None:
    world.process("job", "return ctx.all()", modules=MODULES, default_host=host)
    assert world.caller('return (funcs.new():with_context({a = {1}}):call("app:job"))') == {"a": [1]}


@pytest.mark.parametrize("host", [HERE, THERE])
def test_with_context_of_a_spawner_reaches_the_child_and_its_calls(world: FunctionWorld, host: str) -> None:
    world.process("child", 'return (funcs.call("app:deeper"))', modules=MODULES)
    assert world.caller('return process.with_context({a = 1}):exec("app:child", ...)', host) == {"a": 1}


def test_a_call_does_not_change_the_context_of_its_caller(world: FunctionWorld) -> None:
    assert world.caller('funcs.new():with_context({a = 1}):call("app:all") return ctx.all()') == []
