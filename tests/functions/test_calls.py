"""funcs.call: targets, results, errors and the end of callers (spec lua-api.md §7)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.errors import ProcessError
from tests.functions.conftest import MODULES, FunctionWorld
from tests.processes.harness import HERE, THERE


def test_a_call_returns_what_the_function_returns_and_no_error(world: FunctionWorld) -> None:
    world.function("add", "local a, b = ... return a + b")
    assert world.caller('local v, err = funcs.call("app:add", 1, 2) return {v, err == nil}') == [3, True]


def test_only_the_first_result_counts(world: FunctionWorld) -> None:
    world.function("many", "return 1, 2, 3")
    assert world.caller('return select("#", funcs.call("app:many")), (funcs.call("app:many"))') == 2


def test_a_table_with_a_field_error_is_an_ordinary_result(world: FunctionWorld) -> None:
    world.function("odd", 'return {error = "not really"}')
    assert world.caller('local v, err = funcs.call("app:odd") return {v.error, err == nil}') == ["not really", True]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "function ID required"),
        ("add", "namespace required in function ID"),
        (":add", "namespace required in function ID"),
        ("app:", "name required in function ID"),
    ],
)
@pytest.mark.parametrize("how", ["funcs.call", "funcs.async", "funcs.new():call", "funcs.new():async"])
def test_an_incomplete_target_is_invalid(world: FunctionWorld, how: str, target: str, message: str) -> None:
    result = world.caller(f"local v, err = {how}(...) return {{v == nil, err:kind(), err:message()}}", target)
    assert result == [True, "Invalid", message]


def test_a_target_nobody_registered_is_not_found(world: FunctionWorld) -> None:
    result = world.caller('local v, err = funcs.call("app:nobody") return {v == nil, err:kind(), err:message()}')
    assert result == [True, "NotFound", "no handler registered for target: app:nobody"]


def test_a_process_without_a_default_host_is_no_function(world: FunctionWorld) -> None:
    world.process("plain", "return 1")
    assert world.caller('local v, err = funcs.call("app:plain") return err:kind()') == "NotFound"


@pytest.mark.parametrize("value", ["nil", "42", "{}", "true"])
def test_a_target_that_is_no_text_is_an_argument_error(world: FunctionWorld, value: str) -> None:
    text = world.caller(f"local ok, err = pcall(funcs.call, {value}) return tostring(err)")
    assert "bad argument #1 to 'call' (string expected, got" in text


def test_a_function_that_returns_an_error_object_gives_it_to_the_caller(world: FunctionWorld) -> None:
    world.function(
        "fails",
        'return nil, errors.new({message = "gone", kind = errors.NOT_FOUND, retryable = true, details = {n = 1}})',
    )
    result = world.caller(
        """
        local v, err = funcs.call("app:fails")
        return {v == nil, err:kind(), err:message(), err:retryable(), err:details().n}
        """
    )
    assert result == [True, "NotFound", "gone", True, 1]


def test_a_function_that_returns_a_text_as_error_fails_with_internal_not_retryable(world: FunctionWorld) -> None:
    world.function("fails", 'return nil, "no luck"')
    result = world.caller('local v, err = funcs.call("app:fails") return {err:kind(), err:message(), err:retryable()}')
    assert result == ["Internal", "no luck", False]


def test_a_function_that_raises_gives_the_error_with_its_place(world: FunctionWorld) -> None:
    world.function("raises", 'error("boom")')
    result = world.caller(
        'local v, err = funcs.call("app:raises") return {err:kind(), err:message(), err:retryable() == nil}'
    )
    assert result == ["Internal", "app:raises:1: boom", True]


def test_a_missing_method_is_not_found(world: FunctionWorld) -> None:
    world.script("app:odd", "return {}", kind="function.lua", method="run")
    result = world.caller('local v, err = funcs.call("app:odd") return {err:kind(), err:message()}')
    assert result == ["NotFound", 'method "run" not found in module (app:odd)']


def test_a_script_that_raises_while_it_loads_fails_the_call(world: FunctionWorld) -> None:
    world.script("app:broken", 'error("at the top")', kind="function.lua", method="run")
    result = world.caller('local v, err = funcs.call("app:broken") return {err:kind(), err:message()}')
    assert result[0] == "Internal"
    assert "failed to execute script app:broken" in result[1]


def test_arguments_are_copied_and_a_function_in_them_is_invalid(world: FunctionWorld) -> None:
    world.function("change", "local t = ... t.n = 2 return t.n")
    result = world.caller(
        """
        local t = {n = 1}
        local changed = funcs.call("app:change", t)
        local v, err = funcs.call("app:change", {f = print})
        return {t.n, changed, v == nil, err:kind(), err:message()}
        """
    )
    assert result == [
        1,
        2,
        True,
        "Invalid",
        "cannot call app:change: a function cannot be sent (at value.f) in argument 1",
    ]


def test_a_runtime_object_in_the_arguments_arrives_as_nil_with_a_warning(world: FunctionWorld) -> None:
    world.function("look", "return (...) == nil")
    assert world.caller('return funcs.call("app:look", channel.new(1))') is True
    assert any("channel in the arguments of app:look" in text for text in world.warnings())


def test_holes_in_arguments_keep_their_places(world: FunctionWorld) -> None:
    world.function("third", "local a, b, c = ... return {a == nil, b == nil, c}")
    assert world.caller('return funcs.call("app:third", nil, nil, 3)') == [True, True, 3]


def test_a_call_runs_under_a_pid_whose_host_part_is_the_function(world: FunctionWorld) -> None:
    world.function("who", "return {process.pid(), process.id()}")
    pid, id = world.caller('return funcs.call("app:who")')
    assert pid.startswith("{app:who|")
    assert id == "app:who"


def test_inside_a_function_process_works(world: FunctionWorld) -> None:
    world.process("echo", 'local m = process.inbox():receive() process.send(m:from(), "back", m:payload():data())')
    world.function(
        "ask",
        """
        local pid = process.spawn("app:echo", ...)
        process.send(pid, "hello", "you")
        return process.inbox():receive():payload():data()
        """,
    )
    assert world.caller('return {funcs.call("app:ask", "app:here"), (funcs.call("app:ask", "app:there"))}') == [
        "you",
        "you",
    ]


def test_a_blocked_call_blocks_only_its_coroutine(world: FunctionWorld) -> None:
    world.function("slow", 'time.sleep("1s") return "slow"')
    result = world.caller(
        """
        local seen, done = {}, channel.new(1)
        coroutine.spawn(function() local v = funcs.call("app:slow") seen[#seen + 1] = v done:send(true) end)
        seen[#seen + 1] = "meanwhile"
        done:receive()
        return seen
        """
    )
    assert result == ["meanwhile", "slow"]


def test_a_call_below_create_and_wrap_waits_without_its_resumer_seeing_it(world: FunctionWorld) -> None:
    world.function("slow", 'time.sleep("1s") return (...)')
    result = world.caller(
        """
        local co = coroutine.create(function()
          local a = funcs.call("app:slow", 1)
          coroutine.yield(a)
          return funcs.call("app:slow", 2)
        end)
        local _, first = coroutine.resume(co)
        local _, second = coroutine.resume(co)
        local third = coroutine.wrap(function() return funcs.call("app:slow", 3) end)()
        return {first, second, third, coroutine.status(co)}
        """
    )
    assert result == [1, 2, 3, "dead"]


@pytest.mark.parametrize("how", ["funcs.call", "funcs.async", "funcs.new():call"])
def test_a_call_at_the_top_level_of_a_script_raises(world: FunctionWorld, how: str) -> None:
    world.function("one", "return 1")
    world.script("app:eager", f'local x = {how}("app:one") return {{main = function() end}}', modules=MODULES)
    with pytest.raises(ProcessError, match="at the top level of a script"):
        world.exec("app:eager")


def test_functions_call_each_other(world: FunctionWorld) -> None:
    world.function(
        "down", 'local n = ... if n == 0 then return 0 end return 1 + funcs.call("app:down", n - 1)', pool=None
    )
    assert world.caller('return funcs.call("app:down", 200)') == 200


def test_a_process_with_a_default_host_is_called_there_and_its_end_is_the_result(world: FunctionWorld) -> None:
    for name, host in (("near", HERE), ("far", THERE)):
        world.process(
            name,
            'local x = ... if x == "bad" then return nil, "bad end" end return {x, process.pid()}',
            default_host=host,
        )
    result = world.caller(
        """
        local near, far = funcs.call("app:near", {1, 2}), funcs.call("app:far", {3, {4}})
        local v, err = funcs.call("app:far", "bad")
        local w, problem = funcs.call("app:near", "bad")
        return {near, far, err:message(), problem:message()}
        """
    )
    assert result[0][0] == [1, 2]
    assert result[0][1].startswith("{app:here|")
    assert result[1][0] == [3, [4]]
    assert result[1][1].startswith("{app:there|")
    assert result[2:] == ["bad end", "bad end"]


def test_a_default_host_that_is_not_there_is_told(world: FunctionWorld) -> None:
    world.process("lost", "return 1", default_host="app:nowhere")
    result = world.caller('local v, err = funcs.call("app:lost") return {err:kind(), err:message()}')
    assert result == ["NotFound", "host not found: app:nowhere"]


@pytest.mark.parametrize("end", ["terminate", "return", "error"])
def test_when_the_caller_ends_a_running_function_is_stopped(world: FunctionWorld, end: str) -> None:
    box = world.box()
    world.function("slow", 'process.send((...), "began") time.sleep("10s") process.send((...), "went on")')
    body = {
        "terminate": 'funcs.call("app:slow", ...)',
        "return": 'funcs.async("app:slow", ...) time.sleep("1s") return 1',
        "error": 'funcs.async("app:slow", ...) time.sleep("1s") error("end")',
    }[end]
    pid = world.spawn(world.process("caller", f"local funcs, time = funcs, time {body}", modules=MODULES), box.pid)
    world.advance(2)
    if end == "terminate":
        world.terminate(pid)
    world.advance(20)
    assert [topic for topic, _, _ in box.messages] == ["began"]
    assert not world.alive(pid)


@pytest.mark.parametrize("host", [HERE, THERE])
def test_when_the_caller_ends_a_process_that_it_called_gets_a_cancel(world: FunctionWorld, host: str) -> None:
    box = world.box()
    world.process(
        "job",
        """
        process.send((...), "began", "")
        local event = process.events():receive()
        process.send((...), event.kind, event.reason)
        """,
        default_host=host,
    )
    pid = world.spawn(world.process("caller", 'return funcs.call("app:job", ...)', modules=MODULES), box.pid)
    world.run()
    world.terminate(pid)
    world.run()
    assert [(topic, payloads) for topic, _, payloads in box.messages][1:] == [
        ("pid.cancel", ["caller context canceled"])
    ]


def test_calls_of_calls_end_with_the_first_caller_however_deep(world: FunctionWorld) -> None:
    world.function("down", 'local n = ... if n == 0 then time.sleep("1h") end return (funcs.call("app:down", n - 1))')
    pid = world.spawn(world.process("caller", 'return (funcs.call("app:down", 5000))', modules=MODULES))
    world.run()
    assert sum(node.memory.counters().processes for node in world.nodes) == 5002
    world.terminate(pid)
    world.run()
    assert sum(node.memory.counters().processes for node in world.nodes) == 0


def test_a_function_that_ends_its_caller_ends_with_it(world: FunctionWorld) -> None:
    box = world.box()
    world.function(
        "traitor",
        """
        local box, caller = ...
        process.terminate(caller)
        process.send(box, "same slice")
        time.sleep(1)
        process.send(box, "later")
        """,
    )
    world.spawn(
        world.process("caller", 'return funcs.call("app:traitor", (...), process.pid())', modules=MODULES), box.pid
    )
    world.settle()
    assert "later" not in [topic for topic, _, _ in box.messages]
    assert sum(node.memory.counters().processes for node in world.nodes) == 0


def test_the_timeout_of_a_call_cancels_the_function_and_gives_timeout(world: FunctionWorld) -> None:
    box = world.box()
    world.function("slow", 'time.sleep("10s") process.send((...), "went on")')
    result = world.caller(
        """
        local start = time.now()
        local v, err = funcs.new():with_options({timeout = 500}):call("app:slow", ...)
        return {v == nil, err:kind(), err:message(), time.now():sub(start):milliseconds()}
        """,
        box.pid,
    )
    world.settle()
    assert result == [True, "Timeout", "app:slow did not return within 0.5 s", 500]
    assert box.messages == []


def test_the_timeout_of_meta_options_holds_unless_the_call_says_otherwise(world: FunctionWorld) -> None:
    world.function("slow", 'time.sleep("2s") return "done"', options={"timeout": "1s"})
    result = world.caller(
        """
        local v, err = funcs.call("app:slow")
        return {err:kind(), (funcs.new():with_options({timeout = "3s"}):call("app:slow"))}
        """
    )
    assert result == ["Timeout", "done"]


def test_only_the_calls_that_still_run_are_canceled_with_their_caller(world: FunctionWorld) -> None:
    box = world.box()
    world.function("after", 'local d, box = ... time.sleep(d) process.send(box, d, "")')
    world.caller(
        'for _, d in ipairs({"1s", "9s", "2s", "8s"}) do funcs.async("app:after", d, ...) end time.sleep("5s")', box.pid
    )
    world.settle()
    assert [topic for topic, _, _ in box.messages] == ["1s", "2s"]


def test_a_process_that_was_called_and_canceled_before_it_began_gets_its_cancel(world: FunctionWorld) -> None:
    box = world.box()
    world.process("job", "process.send((...), process.events():receive().reason)", default_host=THERE)
    world.caller('funcs.async("app:job", ...):cancel()', box.pid)
    world.run()
    assert [topic for topic, _, _ in box.messages] == ["caller context canceled"]


def test_a_timeout_asks_a_process_backed_callee_to_end(world: FunctionWorld) -> None:
    box = world.box()
    world.process("job", "process.send((...), process.events():receive().reason)", default_host=THERE)
    assert (
        world.caller(
            'local v, err = funcs.new():with_options({timeout = "1s"}):call("app:job", ...) return err:kind()', box.pid
        )
        == "Timeout"
    )
    world.run()
    assert [topic for topic, _, _ in box.messages] == ["caller context canceled"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": True}, "timeout must be milliseconds or a duration text, got boolean"),
        ({"timeout": -1}, "timeout must not be negative, got -1"),
        ({"timeout": "soon"}, "timeout: invalid duration"),
        ({"retry": 3}, "retry must be a table, got number"),
        ({"retry": {"max_attempts": "3"}}, "retry.max_attempts must be a number, got string"),
        ({"retry": {"jitter": -1}}, "retry.jitter must not be less than 0, got -1"),
        ({"retry": {"jitter": 2}}, "retry.jitter must not be more than 1, got 2"),
        ({"timeout": float("inf")}, "timeout must not be more than a hundred years, got inf ms"),
        ({"retry": {"max_delay": float("inf")}}, "retry.max_delay must not be more than a hundred years"),
        ({"retry": {"initial_delay": {}}}, "retry.initial_delay must be milliseconds or a duration text"),
        ({"retry": {"retry_kinds": "Timeout"}}, "retry.retry_kinds must be a list of error kinds, got string"),
        ({"retry": {"skip_kinds": [1]}}, "retry.skip_kinds must be a list of error kinds, got a number in it"),
    ],
)
def test_wrong_options_are_invalid(world: FunctionWorld, options: dict[str, Any], message: str) -> None:
    world.function("one", "return 1")
    kind, text = world.caller(
        'local v, err = funcs.new():with_options(...):call("app:one") return {err:kind(), err:message()}', options
    )
    assert kind == "Invalid"
    assert message in text
    assert "app:one" in text


def test_executors_are_values_and_do_not_change(world: FunctionWorld) -> None:
    world.function("seen", "return ctx.all()")
    result = world.caller(
        """
        local a = funcs.new():with_context({x = 1})
        local b = a:with_context({y = 2})
        return {(a:call("app:seen")), (b:call("app:seen"))}
        """
    )
    assert result == [{"x": 1}, {"x": 1, "y": 2}]


def test_with_options_replaces_earlier_options(world: FunctionWorld) -> None:
    world.function("slow", 'time.sleep("1s") return "done"')
    result = world.caller(
        """
        local short = funcs.new():with_options({timeout = 10})
        local v, err = short:call("app:slow")
        return {err:kind(), (short:with_options({other = true}):call("app:slow"))}
        """
    )
    assert result == ["Timeout", "done"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("funcs.new():with_context(1)", "bad argument #1 to 'with_context' (table expected, got number)"),
        ("funcs.new():with_context({1})", "keys must be strings, got number"),
        ("funcs.new():with_context({f = print})", "a function cannot be sent in 'f'"),
        ("funcs.new():with_options()", "bad argument #1 to 'with_options' (table expected, got no value)"),
        ("funcs.new():with_actor('x')", "bad argument #1 to 'with_actor' (actor expected, got string)"),
        ("funcs.new():with_scope({})", "bad argument #1 to 'with_scope' (scope expected, got table)"),
        ("funcs.new().call({}, 'app:x')", "bad argument #1 to 'call' (executor expected, got table)"),
        ("funcs.new().async(1, 'app:x')", "bad argument #1 to 'async' (executor expected, got number)"),
        ("funcs.new():call()", "bad argument #1 to 'call' (string expected, got no value)"),
    ],
)
def test_wrong_arguments_of_executors_raise(world: FunctionWorld, code: str, message: str) -> None:
    assert message in world.caller(f"local ok, err = pcall(function() {code} end) return tostring(err)")


@pytest.mark.parametrize("target", ["app:one", "app:far"])
def test_an_executor_that_was_tampered_with_gives_nothing_away(world: FunctionWorld, target: str) -> None:
    world.function("one", "return 1")
    world.process("far", "return 1", default_host=THERE)
    result = world.caller(
        """
        local exec = funcs.new():with_context({a = {}}):with_options({retry = {}})
        for _, t in pairs(exec) do t.a = print end
        local ok, err = pcall(exec.call, exec, ...)
        local changed = pcall(rawset, exec, 1, {})
        local mt = {__index = function() error("read") end}
        local other = funcs.new():with_options({retry = {}})
        for _, t in pairs(other) do setmetatable(t, mt) end
        return {ok, tostring(err), changed, (other:call(...))}
        """,
        target,
    )
    assert result[0] is False
    assert "a function cannot be sent in 'a'" in result[1]
    assert result[2:] == [False, 1]


def test_a_module_that_is_not_listed_is_not_found(world: FunctionWorld) -> None:
    for name in ("funcs", "ctx"):
        text = world.main(f'local ok, err = pcall(require, "{name}") return tostring(err)', modules=())
        assert f"module '{name}' not found" in text
