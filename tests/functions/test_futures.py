"""funcs.async and futures (spec lua-api.md §7.1)."""

from __future__ import annotations

import pytest

from actors.errors import ProcessError
from tests.functions.conftest import FunctionWorld


@pytest.fixture
def world() -> FunctionWorld:
    world = FunctionWorld()
    world.function("slow", 'time.sleep("1s") return (...)')
    world.function("fails", 'return nil, errors.new({message = "gone", kind = errors.NOT_FOUND})')
    return world


def test_async_returns_at_once_and_the_response_yields_a_payload_then_closes(world: FunctionWorld) -> None:
    result = world.caller(
        """
        local start = time.now()
        local future, err = funcs.async("app:slow", {n = 1})
        local at_once = time.now():sub(start):milliseconds()
        local payload, ok = future:response():receive()
        local again, more = future:response():receive()
        return {err == nil, at_once, payload:data().n, ok, again == nil, more, type(future)}
        """
    )
    assert result == [True, 0, 1, True, True, False, "userdata"]


def test_response_and_channel_are_the_same_channel(world: FunctionWorld) -> None:
    assert world.caller(
        'local f = funcs.async("app:slow") return f:response() == f:channel() and f:channel() == f:channel()'
    )


def test_a_failure_arrives_as_an_error_object_with_its_kind(world: FunctionWorld) -> None:
    result = world.caller(
        """
        local f = funcs.async("app:fails")
        local item, ok = f:response():receive()
        local err, failed = f:error()
        local value, problem = f:result()
        return {item:kind(), ok, err:kind(), failed, value == nil, problem:message()}
        """
    )
    assert result == ["NotFound", True, "NotFound", True, True, "gone"]


def test_a_pending_future_has_neither_result_nor_error(world: FunctionWorld) -> None:
    result = world.caller(
        """
        local f = funcs.async("app:slow")
        local v, err = f:result()
        local e, failed = f:error()
        return {v == nil, err == nil, e == nil, failed, f:is_complete(), f:is_canceled()}
        """
    )
    assert result == [True, True, True, False, False, False]


def test_a_future_is_complete_when_its_outcome_waits_unread(world: FunctionWorld) -> None:
    result = world.caller(
        """
        local f = funcs.async("app:slow", "v")
        time.sleep("2s")
        local e, failed = f:error()
        return {f:is_complete(), f:is_canceled(), f:result():data(), f:result():data(), e == nil, failed,
          f:channel():receive():data()}
        """
    )
    assert result == [True, False, "v", "v", True, False, "v"]


def test_a_result_of_nil_is_a_payload_of_nil(world: FunctionWorld) -> None:
    assert world.caller(
        'local f = funcs.async("app:slow") return {f:channel():receive():data() == nil, f:result():data() == nil}'
    ) == [True, True]


def test_cancel_closes_the_channel_stops_the_callee_and_drops_the_outcome(world: FunctionWorld) -> None:
    box = world.box()
    world.function("tells", 'time.sleep("1s") process.send((...), "went on") return 1')
    result = world.caller(
        """
        local f = funcs.async("app:tells", ...)
        time.sleep("500ms")
        local ok, err = f:cancel()
        local v, more = f:channel():receive()
        time.sleep("5s")
        local value, problem = f:result()
        local e, failed = f:error()
        return {ok, err == nil, v == nil, more, f:is_canceled(), f:is_complete(), problem:kind(), e:kind(), failed}
        """,
        box.pid,
    )
    assert result == [True, True, True, False, True, False, "Canceled", "Canceled", True]
    assert box.messages == []


def test_cancel_after_completion_has_no_effect(world: FunctionWorld) -> None:
    result = world.caller(
        """
        local f = funcs.async("app:slow", 1)
        time.sleep("2s")
        return {f:cancel(), f:is_canceled(), f:result():data()}
        """
    )
    assert result == [True, False, 1]


def test_a_process_that_waits_after_its_only_future_was_canceled_is_a_deadlock(world: FunctionWorld) -> None:
    with pytest.raises(ProcessError, match="deadlock"):
        world.caller('local f = funcs.async("app:slow") f:cancel() f:cancel() channel.new():receive()')


def test_calls_run_at_the_same_time_and_select_takes_the_first(world: FunctionWorld) -> None:
    world.function("after", "time.sleep((...)) return (...)")
    result = world.caller(
        """
        local start = time.now()
        local a, b = funcs.async("app:after", "2s"), funcs.async("app:after", "1s")
        local first = channel.select({a:channel():case_receive(), b:channel():case_receive()})
        local second = a:channel():receive()
        return {first.channel == b:channel(), first.value:data(), second:data(), time.now():sub(start):seconds()}
        """
    )
    assert result == [True, "1s", "2s", 2]


def test_a_process_that_waits_for_a_future_alone_is_no_deadlock(world: FunctionWorld) -> None:
    assert world.caller('return (funcs.async("app:slow", "late"):channel():receive()):data()') == "late"


def test_a_process_that_ends_drops_its_futures(world: FunctionWorld) -> None:
    box = world.box()
    world.function("tells", 'time.sleep("1s") process.send((...), "went on")')
    assert world.caller('funcs.async("app:tells", ...) return 1', box.pid) == 1
    world.settle()
    assert box.messages == []


@pytest.mark.parametrize("method", ["response", "channel", "result", "error", "is_complete", "is_canceled", "cancel"])
def test_methods_of_futures_check_their_self(world: FunctionWorld, method: str) -> None:
    text = world.caller(
        f'local f = funcs.async("app:slow") local ok, err = pcall(f.{method}, {{}}) return tostring(err)'
    )
    assert "(future expected, got table)" in text
