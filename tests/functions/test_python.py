"""function.python (spec registry.md §10.10): from Python, from processes, and what a bad one gives."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors import ProcessError, Runtime
from actors.clock import VirtualClock
from registry import ChangeSet, FaultsError

ENTRIES = """
- name: host
  kind: process.host
  host: { workers: 1 }
  lifecycle: { auto_start: true }
- { name: echo, kind: function.python, source: "python://fn_app:echo" }
- { name: shown, kind: function.python, source: "python://fn_app:shown" }
- { name: aecho, kind: function.python, source: "python://fn_app:aecho" }
- { name: fails, kind: function.python, source: "python://fn_app:fails" }
- { name: afails, kind: function.python, source: "python://fn_app:afails" }
- { name: returns, kind: function.python, source: "python://fn_app:returns" }
- { name: wait, kind: function.python, source: "python://fn_app:Gate.wait" }
- { name: await, kind: function.python, source: "python://fn_app:Gate.await_" }
- { name: single, kind: function.python, source: "python://fn_app:Gate.single", pool: { workers: 1 } }
- { name: asingle, kind: function.python, source: "python://fn_app:Gate.asingle", pool: { workers: 1 } }
- name: flaky
  kind: function.python
  source: python://fn_app:flaky
  meta: { options: { retry: { max_attempts: 3, initial_delay: 1h, max_delay: 2h, jitter: 0 } } }
- name: caller
  kind: process.lua
  modules: [funcs, time]
  source: |
    return { main = function(...)
      local v, err = funcs.call(...)
      if err then
        return {kind = err:kind(), message = err:message(), retryable = err:retryable(), details = err:details()}
      end
      return {value = v}
    end }
- name: impatient
  kind: process.lua
  modules: [funcs]
  source: |
    return { main = function(id)
      local v, err = funcs.new():with_options({timeout = "50ms"}):call(id)
      return err:kind()
    end }
- name: fickle
  kind: process.lua
  modules: [funcs]
  source: |
    return { main = function(id)
      local future = funcs.async(id)
      process.inbox():receive()
      future:cancel()
      process.inbox():receive()
    end }
- name: busy
  kind: process.lua
  modules: [funcs, time]
  source: |
    return { main = function()
      local future = funcs.async("app:wait")
      time.sleep("1h")
      return future:is_complete()
    end }
- name: sleeper
  kind: process.lua
  modules: [funcs, time]
  source: |
    return { main = function()
      local start = time.now()
      local first = funcs.call("app:echo", "x")
      time.sleep("24h")
      return {first, (funcs.call("app:aecho", "y")), time.now():sub(start):hours()}
    end }
"""

MODULE = """
import asyncio
import threading

from actors import ProcessError


def echo(*args):
    return list(args)


def shown(*args):
    return repr(args)


async def aecho(*args):
    await asyncio.sleep(0)
    return list(args)


def _fail(how):
    if how == "value":
        raise ValueError("not that")
    if how == "bare":
        raise KeyboardInterrupt
    if how == "exit":
        raise SystemExit(3)
    raise ProcessError("taken", kind="Conflict", retryable=True, details={"by": "me"})


def fails(how):
    _fail(how)


async def afails(how):
    _fail(how)


def returns(what):
    return {"object": object(), "set": {1}, "big": 2**60, "nothing": None, "tuple": (1, b"x")}[what]


attempts = 0


def flaky():
    global attempts
    attempts += 1
    if attempts < 3:
        raise ProcessError(f"attempt {attempts}", kind="Unavailable")
    return attempts


class Gate:
    began = threading.Event()
    go = threading.Event()
    canceled = threading.Event()
    inside = 0
    most = 0

    @staticmethod
    def wait():
        Gate.began.set()
        assert Gate.go.wait(20)
        return "waited"

    @staticmethod
    async def await_():
        Gate.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            Gate.canceled.set()

    @staticmethod
    def single(n):
        Gate.inside += 1
        Gate.most = max(Gate.most, Gate.inside)
        threading.Event().wait(0.001)
        Gate.inside -= 1
        return n

    @staticmethod
    async def asingle(n):
        Gate.inside += 1
        Gate.most = max(Gate.most, Gate.inside)
        await asyncio.sleep(0.001)
        Gate.inside -= 1
        return n
"""

Write = Callable[..., Path]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of the module fn_app, found by import."""
    path = tmp_path / "fn_app.py"
    path.write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield path
    sys.modules.pop("fn_app", None)


@pytest.fixture
def rt(app: Write, module: Path) -> Iterator[Runtime]:
    with Runtime.load(app(ENTRIES)) as runtime:
        yield runtime


def gate() -> Any:
    return sys.modules["fn_app"].Gate


@pytest.mark.parametrize("function", ["app:echo", "app:aecho"])
def test_python_functions_are_called_from_python_and_from_processes(rt: Runtime, function: str) -> None:
    args = [1, "two", {"three": [3, {}]}, b"\xff", True]
    assert rt.call(function, *args) == args
    assert rt.exec("app:caller", "app:host", function, *args) == {"value": args}
    assert asyncio.run(rt.acall(function, "x")) == ["x"]


def test_arguments_keep_their_places_when_some_are_nil(rt: Runtime) -> None:
    assert rt.call("app:shown", None, 2, None, 4) == "(None, 2, None, 4)"


@pytest.mark.parametrize("function", ["app:fails", "app:afails"])
def test_what_a_function_raises_is_an_internal_error_with_type_and_text(rt: Runtime, function: str) -> None:
    with pytest.raises(ProcessError) as caught:
        rt.call(function, "value")
    error = caught.value
    assert (error.kind, error.message, error.retryable) == ("Internal", "ValueError: not that", None)
    assert "in _fail" in error.stack.splitlines()[0]
    told = rt.exec("app:caller", "app:host", function, "value")
    assert told == {"kind": "Internal", "message": "ValueError: not that"}


@pytest.mark.parametrize("function", ["app:fails", "app:afails"])
@pytest.mark.parametrize(("how", "message"), [("bare", "KeyboardInterrupt"), ("exit", "SystemExit: 3")])
def test_even_what_would_end_a_program_is_the_callers_error(rt: Runtime, function: str, how: str, message: str) -> None:
    with pytest.raises(ProcessError, match=message):
        rt.call(function, how)
    assert rt.call("app:aecho", 1) == [1]


@pytest.mark.parametrize("function", ["app:fails", "app:afails"])
def test_a_raised_process_error_keeps_kind_retryable_and_details(rt: Runtime, function: str) -> None:
    with pytest.raises(ProcessError) as caught:
        rt.call(function, "error")
    error = caught.value
    assert (error.kind, error.message, error.retryable, error.details) == ("Conflict", "taken", True, {"by": "me"})
    told = rt.exec("app:caller", "app:host", function, "error")
    assert told == {"kind": "Conflict", "message": "taken", "retryable": True, "details": {"by": "me"}}


def test_a_wrong_number_of_arguments_is_a_type_error_of_the_callee(rt: Runtime) -> None:
    with pytest.raises(ProcessError, match="TypeError: fails"):
        rt.call("app:fails")


@pytest.mark.parametrize(
    ("what", "problem"), [("object", "a object cannot be sent"), ("set", "a set"), ("big", "larger than")]
)
def test_a_result_that_cannot_cross_is_invalid(rt: Runtime, what: str, problem: str) -> None:
    with pytest.raises(ProcessError, match=problem) as caught:
        rt.call("app:returns", what)
    assert caught.value.kind == "Invalid"
    assert "the result of app:returns" in caught.value.message


def test_results_are_values_of_lua(rt: Runtime) -> None:
    assert rt.call("app:returns", "nothing") is None
    assert rt.call("app:returns", "tuple") == [1, "x"]


def test_an_argument_that_cannot_leave_lua_is_invalid(rt: Runtime) -> None:
    source = """
    return { main = function()
      local t = {} t.t = t
      local v, err = funcs.call("app:echo", t)
      return {err:kind(), err:message()}
    end }
    """
    entry = {"id": "app:cyclic", "kind": "process.lua", "data": {"source": source, "modules": ["funcs"]}}
    rt.registry.apply(ChangeSet().create(entry))
    kind, message = rt.exec("app:cyclic", "app:host")
    assert kind == "Invalid"
    assert "cannot call app:echo" in message


def test_a_slow_plain_function_holds_up_neither_others_nor_its_vm(rt: Runtime) -> None:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(rt.call("app:wait")))
    thread.start()
    assert gate().began.wait(20)
    assert rt.call("app:echo", 1) == [1]
    assert rt.call("app:aecho", 2) == [2]
    gate().go.set()
    thread.join()
    assert answers == ["waited"]


@pytest.mark.parametrize("function", ["app:single", "app:asingle"])
def test_the_workers_of_a_pool_bound_the_calls_at_the_same_time(rt: Runtime, function: str) -> None:
    async def many() -> list[Any]:
        return await asyncio.gather(*(rt.acall(function, n) for n in range(10)))

    assert asyncio.run(many()) == list(range(10))
    assert gate().most == 1


def test_a_caller_that_stops_waiting_cancels_an_async_function(rt: Runtime) -> None:
    async def call() -> None:
        task = asyncio.create_task(rt.acall("app:await"))
        assert await asyncio.to_thread(gate().began.wait, 20)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(call())
    assert gate().canceled.wait(20)


def test_a_call_that_takes_too_long_is_a_timeout(rt: Runtime) -> None:
    with pytest.raises(TimeoutError, match=r"app:await did not return within 0\.05 s"):
        rt.call("app:await", timeout=0.05)
    assert rt.exec("app:impatient", "app:host", "app:await") == "Timeout"


def test_a_future_that_is_canceled_cancels_an_async_function(rt: Runtime) -> None:
    pid = rt.spawn("app:fickle", "app:host", "app:await")
    assert gate().began.wait(20)
    rt.send(pid, "enough")
    assert gate().canceled.wait(20)


def test_when_the_calling_process_ends_an_async_function_is_canceled(rt: Runtime) -> None:
    pid = rt.spawn("app:caller", "app:host", "app:await")
    assert gate().began.wait(20)
    rt.terminate(pid)
    assert gate().canceled.wait(20)


def test_the_result_of_a_plain_function_whose_caller_is_gone_is_dropped(rt: Runtime) -> None:
    with pytest.raises(TimeoutError):
        rt.call("app:wait", timeout=0.05)
    gate().go.set()
    assert rt.call("app:echo", "next") == ["next"]


def test_stopping_the_runtime_cancels_async_functions_and_answers_their_callers(app: Write, module: Path) -> None:
    failures: list[BaseException] = []

    def call(runtime: Runtime) -> None:
        try:
            runtime.call("app:await")
        except ProcessError as error:
            failures.append(error)

    with Runtime.load(app(ENTRIES)) as running:
        thread = threading.Thread(target=call, args=(running,))
        thread.start()
        assert gate().began.wait(20)
    thread.join()
    assert gate().canceled.is_set()
    assert [type(failure) for failure in failures] == [ProcessError]


def test_retries_of_python_functions_wait_in_the_clock_of_the_runtime(app: Write, module: Path) -> None:
    clock = VirtualClock()
    with Runtime.load(app(ENTRIES), clock=clock) as rt:
        assert rt.call("app:flaky") == 3
        assert clock.monotonic() == 3 * 3600


def test_time_stands_still_while_a_function_runs_in_a_virtual_clock(app: Write, module: Path) -> None:
    with Runtime.load(app(ENTRIES), clock=VirtualClock()) as rt:
        assert rt.exec("app:sleeper", "app:host") == [["x"], ["y"], 24]
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(rt.exec("app:busy", "app:host")))
        thread.start()
        assert gate().began.wait(20)
        for n in range(20):  # others are served meanwhile
            assert rt.call("app:aecho", n) == [n]
        gate().go.set()
        thread.join()
        assert found == [True]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("python://no_such_package.mod:f", "the import of 'no_such_package.mod' failed with ModuleNotFoundError"),
        ("python://fn_app:ecko", "module 'fn_app' has no 'ecko'; did you mean 'echo'?"),
        ("python://fn_app:Gate.weit", "module 'fn_app.Gate' has no 'weit'; did you mean 'wait'?"),
        ("python://fn_app:attempts", "fn_app:attempts is a int, which cannot be called"),
        ("python://fn_bad:f", "the import of 'fn_bad' failed with ZeroDivisionError: division by zero"),
        ("python://fn_exit:f", "the import of 'fn_exit' failed with SystemExit"),
        ("python://fn_syntax:f", "the import of 'fn_syntax' failed with SyntaxError"),
    ],
)
def test_a_target_that_cannot_be_had_is_a_fault_with_file_and_line(
    app: Write, module: Path, source: str, text: str
) -> None:
    for name, body in (("fn_bad", "1 / 0"), ("fn_exit", "raise SystemExit"), ("fn_syntax", "def")):
        module.with_name(f"{name}.py").write_text(body)
    folder = app(f"""
    - name: broken
      kind: function.python
      source: {source}
    """)
    runtime = Runtime.load(folder)
    with pytest.raises(FaultsError) as caught:
        runtime.start()
    (fault,) = caught.value.faults
    assert text in str(fault)
    assert f"{folder.name}/_index.yaml:" in str(fault)
    assert "app:broken.source" in str(fault)
    assert caught.value.kind == "Invalid"


def test_a_change_of_the_registry_swaps_the_function_and_a_broken_one_changes_nothing(rt: Runtime) -> None:
    def entry(source: str) -> dict[str, Any]:
        return {"id": "app:echo", "kind": "function.python", "data": {"source": source}}

    with pytest.raises(Exception, match="has no 'missing'"):
        rt.registry.apply(ChangeSet().update(entry("python://fn_app:missing")))
    assert rt.call("app:echo", 1) == [1]
    rt.registry.apply(ChangeSet().update(entry("python://builtins:str")))
    assert rt.call("app:echo", 1) == "1"
    rt.registry.apply(ChangeSet().delete("app:echo"))
    with pytest.raises(ProcessError, match="no handler registered for target: app:echo"):
        rt.call("app:echo", 1)
