"""The embedding API from Python's side (design §8): life, processes, messages, functions, values, errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors import Failure, Message, ProcessError, Runtime
from registry import FaultsError, Registry

ENTRIES = """
- name: processes
  kind: process.host
  host: { workers: 1 }
  lifecycle: { auto_start: true }
- name: off
  kind: process.host
  host: { workers: 1 }
- name: terminal
  kind: terminal.host
- name: echo
  kind: process.lua
  source: |
    return { main = function(...)
      local events, inbox = process.events(), process.inbox()
      while true do
        local chosen = channel.select({ events:case_receive(), inbox:case_receive() })
        if chosen.channel == events then
          if chosen.value.kind == process.event.CANCEL then return "canceled: " .. tostring(chosen.value.reason) end
        else
          local m = chosen.value
          local data = m:payload() and m:payload():data()
          if m:topic() == "crash" then error("poison") end
          if m:topic() == "stop" then return data end
          process.send(m:from() or data.reply_to, m:topic(), data)
        end
      end
    end }
- name: identity
  kind: process.lua
  source: |
    return { main = function(...) return ... end }
- name: loop
  kind: process.lua
  source: |
    return { main = function() while true do end end }
- name: deaf
  kind: process.lua
  source: |
    return { main = function() process.inbox():receive() end }
- name: fails
  kind: process.lua
  source: |
    local function inner() error("boom") end
    return { main = function(how)
      if how == "text" then return nil, "bad" end
      if how == "error" then
        return nil, errors.new({ message = "typed", kind = errors.CONFLICT, retryable = true, details = { n = 1 } })
      end
      inner()
    end }
- name: sends
  kind: process.lua
  source: |
    return { main = function(to, ...) return process.send(to, "x", ...) end }
- name: library
  kind: library.lua
  source: |
    return { twice = function(n) return n * 2 end }
- name: add
  kind: function.lua
  method: add
  source: |
    return { add = function(a, b) return a + b end }
- name: same
  kind: function.lua
  method: same
  source: |
    return { same = function(...) return ... end }
- name: wait
  kind: function.lua
  method: wait
  modules: [time]
  source: |
    return { wait = function() require("time").sleep("1h") end }
- name: raise
  kind: function.lua
  method: raise
  source: |
    return { raise = function(e) error(e) end }
"""


@pytest.fixture
def folder(app: Callable[..., Path]) -> Path:
    return app(ENTRIES)


@pytest.fixture
def rt(folder: Path) -> Iterator[Runtime]:
    with Runtime.load(folder) as running:
        yield running


def kind_of(act: Callable[[], Any]) -> str:
    with pytest.raises(ProcessError) as caught:
        act()
    return caught.value.kind


def test_a_runtime_is_started_once(folder: Path) -> None:
    rt = Runtime.load(folder)
    with rt:
        assert kind_of(rt.start) == "Invalid"
        assert rt.call("app:add", 2, 3) == 5
    assert kind_of(rt.start) == "Invalid"


def test_stop_may_be_called_before_start_and_again(folder: Path) -> None:
    rt = Runtime.load(folder)
    rt.stop()
    rt.stop()
    assert kind_of(rt.start) == "Invalid"


def test_nothing_runs_before_start_and_after_stop(folder: Path) -> None:
    rt = Runtime.load(folder)
    assert kind_of(lambda: rt.spawn("app:echo", "app:processes")) == "Unavailable"
    assert kind_of(lambda: rt.call("app:add", 1, 2)) == "Unavailable"
    assert rt.processes() == []
    assert rt.services() == []
    assert rt.hosts() == []
    rt.start()
    pid = rt.spawn("app:echo", "app:processes")
    rt.stop()
    assert kind_of(lambda: rt.spawn("app:echo", "app:processes")) == "Unavailable"
    assert kind_of(lambda: rt.exec("app:echo", "app:processes")) == "Unavailable"
    assert kind_of(lambda: rt.call("app:add", 1, 2)) == "Unavailable"
    assert kind_of(lambda: rt.send(pid, "x")) == "NotFound"
    assert rt.processes() == []


def test_a_stop_during_the_start_ends_the_start(app: Callable[..., Path]) -> None:
    # the service waits for a retry that is an hour away, so that only the stop can end the wait of a required start
    folder = app("""
    - name: processes
      kind: process.host
      lifecycle: { auto_start: true }
    """)
    rt = Runtime.load(folder)
    began = threading.Event()
    outcome: list[object] = []

    def start() -> None:
        began.set()
        try:
            rt.start()
        except ProcessError as error:
            outcome.append(error.kind)
        else:
            outcome.append("started")

    starter = threading.Thread(target=start)
    starter.start()
    began.wait()
    rt.stop()
    starter.join()
    assert outcome[0] in ("started", "Unavailable", "Invalid")
    rt.stop()


def test_several_threads_may_stop_it(folder: Path) -> None:
    rt = Runtime.load(folder)
    rt.start()
    rt.spawn("app:deaf", "app:processes")
    threads = [threading.Thread(target=rt.stop, args=(0,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rt.processes() == []


def test_stop_with_no_time_kills_what_does_not_end(folder: Path) -> None:
    rt = Runtime.load(folder)
    rt.start()
    for entry in ("app:deaf", "app:loop", "app:echo"):
        rt.spawn(entry, "app:processes")
    rt.stop(0)
    assert rt.processes() == []


def test_an_error_in_the_body_stops_the_runtime_and_comes_out(folder: Path) -> None:
    rt = Runtime.load(folder)
    with pytest.raises(ValueError, match="mine"), rt:
        raise ValueError("mine")
    assert kind_of(lambda: rt.call("app:add", 1, 2)) == "Unavailable"


def test_a_runtime_can_be_made_from_a_registry(folder: Path) -> None:
    from actors.kinds import EntryKinds

    with Runtime(Registry.load(folder, kinds=EntryKinds())) as rt:
        assert rt.call("app:add", 2, 3) == 5


def test_two_runtimes_live_side_by_side_and_inside_each_other(folder: Path) -> None:
    with Runtime.load(folder) as one, Runtime.load(folder) as two:
        box = two.mailbox()
        echo = one.spawn("app:echo", "app:processes", name="echo")
        assert two.lookup("echo") is None
        assert kind_of(lambda: two.send(echo, "x")) == "NotFound"
        assert kind_of(lambda: one.send(box.pid, "x")) == "NotFound"

        def inner(event: object) -> None:
            assert event is not None

        remove = one.watch(inner)
        with Runtime.load(folder) as three:
            assert three.call("app:add", 1, 1) + one.call("app:add", 1, 1) + two.call("app:add", 1, 1) == 6
        remove()


def test_spawned_processes_answer_under_pid_and_name(rt: Runtime) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:echo", "app:processes", name="e")
    assert rt.lookup("e") == pid
    for target in (pid, "e"):
        rt.send(target, "ping", {"reply_to": box.pid, "n": 1})
        assert box.receive() == Message("ping", pid, {"reply_to": box.pid, "n": 1})
    assert [(p.pid, p.entry, p.host, p.names) for p in rt.processes()] == [(pid, "app:echo", "app:processes", ("e",))]


def test_a_name_that_is_taken_gives_its_holder(rt: Runtime) -> None:
    pid = rt.spawn("app:echo", "app:processes", name="e")
    assert rt.spawn("app:echo", "app:processes", name="e") == pid
    assert rt.spawn("app:nowhere", "app:processes", name="e") == pid
    assert len(rt.processes()) == 1


@pytest.mark.parametrize("name", ["", "{a|b}", "{x@y|0x1}"])
def test_what_is_no_name_is_refused(rt: Runtime, name: str) -> None:
    assert kind_of(lambda: rt.spawn("app:echo", "app:processes", name=name)) == "Invalid"


def test_names_end_with_their_process(rt: Runtime) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:echo", "app:processes", name="e")
    box.monitor(pid)
    rt.terminate(pid)
    box.events.receive()
    assert rt.lookup("e") is None
    assert kind_of(lambda: rt.send("e", "x")) == "NotFound"
    assert rt.spawn("app:echo", "app:processes", name="e") != pid


def test_messages_of_a_thread_arrive_in_order(rt: Runtime) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:echo", "app:processes")
    for i in range(300):
        rt.send(pid, "n", {"reply_to": box.pid, "i": i})
    assert [box.receive().payload["i"] for _ in range(300)] == list(range(300))


def test_several_payloads_arrive_as_a_list(rt: Runtime) -> None:
    box = rt.mailbox()
    assert rt.exec("app:sends", "app:processes", box.pid) is True
    assert box.receive().payload is None
    rt.exec("app:sends", "app:processes", box.pid, "one")
    assert box.receive().payload == "one"
    rt.exec("app:sends", "app:processes", box.pid, "one", 2, None, [3])
    assert box.receive().payload == ["one", 2, None, [3]]


def test_a_mailbox_sends_to_a_mailbox(rt: Runtime) -> None:
    one, two = rt.mailbox(), rt.mailbox()
    rt.send(two.pid, "hello", {"from": one.pid})
    assert two.receive() == Message("hello", None, {"from": one.pid})
    two.close()
    two.close()
    assert kind_of(lambda: rt.send(two.pid, "hello")) == "NotFound"


def test_what_a_mailbox_receives_is_a_copy(rt: Runtime) -> None:
    box = rt.mailbox()
    payload = {"list": [1]}
    rt.send(box.pid, "x", payload)
    payload["list"].append(2)
    assert box.receive().payload == {"list": [1]}


def test_receive_without_a_message_ends_in_time(rt: Runtime) -> None:
    box = rt.mailbox()
    for timeout in (0, 0.001, -1):
        with pytest.raises(TimeoutError):
            box.receive(timeout=timeout)
    rt.send(box.pid, "x", 1)
    assert box.receive(timeout=0).payload == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**53,
        -(2**53),
        2**31,
        1.5,
        -0.25,
        float("inf"),
        "",
        "text",
        "é€😀",
        "\0",
        b"\xff\xfe",
        [],
        {},
        [1, [2, [3]]],
        {"a": {"b": {"c": []}}},
        {"empty": {}, "list": []},
        [{}, [], 1],
        {"k" + str(i): i for i in range(2000)},
        list(range(70000)),
        "x" * 100_000,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_values_come_back_as_they_went(rt: Runtime, value: Any) -> None:
    back = rt.call("app:same", value)
    assert back == value
    assert type(back) is type(value)
    assert rt.exec("app:identity", "app:processes", value) == value


def test_what_lua_does_not_tell_apart_comes_back_in_its_form(rt: Runtime) -> None:
    assert rt.call("app:same", (1, 2)) == [1, 2]
    assert rt.call("app:same", 3.0) == 3
    assert rt.call("app:same", bytearray(b"abc")) == "abc"
    assert rt.call("app:same", {1: "a", 2: "b"}) == ["a", "b"]
    assert rt.call("app:same", {1: "a", 3: "b"}) == {1: "a", 3: "b"}
    assert rt.call("app:same", [1, None, 2]) == {1: 1, 3: 2}
    nan = rt.call("app:same", float("nan"))
    assert nan != nan


def cyclic() -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2**53 + 1, r"2\*\*53"),
        ({"a": [1, -(2**60)]}, r"value\.a\[1\]"),
        (object(), "object"),
        ({"f": print}, r"value\.f"),
        ({1, 2}, "set"),
        (cyclic(), "contains itself"),
        (deep(300), "nested deeper"),
        ({(1, 2): 3}, "tuple"),
        ({None: 1}, "NoneType"),
        ({float("nan"): 1}, "key"),
    ],
    ids=str,
)
def test_values_that_cannot_cross_are_refused_with_their_path(rt: Runtime, value: Any, said: str) -> None:
    pid = rt.spawn("app:echo", "app:processes")
    for act in (
        lambda: rt.call("app:same", value),
        lambda: rt.exec("app:identity", "app:processes", value),
        lambda: rt.spawn("app:echo", "app:processes", value),
        lambda: rt.send(pid, "x", value),
        lambda: rt.send(rt.mailbox().pid, "x", value),
    ):
        with pytest.raises(ProcessError, match=said) as caught:
            act()
        assert caught.value.kind == "Invalid"


def test_errors_cross_in_both_directions(rt: Runtime) -> None:
    sent = ProcessError("mine", kind="Conflict", retryable=True, details={"n": [1]})
    back = rt.call("app:same", {"e": sent})["e"]
    assert isinstance(back, Failure)
    assert (back.message, back.kind, back.retryable, back.details) == ("mine", "Conflict", True, {"n": [1]})
    with pytest.raises(ProcessError, match="mine") as raised:
        rt.call("app:raise", sent)
    assert (raised.value.kind, raised.value.retryable, raised.value.details) == ("Conflict", True, {"n": [1]})


def test_a_process_that_fails_raises_its_error(rt: Runtime) -> None:
    with pytest.raises(ProcessError, match="boom") as boom:
        rt.exec("app:fails", "app:processes")
    assert (boom.value.kind, boom.value.retryable) == ("Internal", None)
    assert ":1" in boom.value.stack
    assert str(boom.value.pid).startswith("{app:processes|")
    with pytest.raises(ProcessError, match="bad") as text:
        rt.exec("app:fails", "app:processes", "text")
    assert (text.value.kind, text.value.retryable) == ("Internal", False)
    with pytest.raises(ProcessError, match="typed") as typed:
        rt.exec("app:fails", "app:processes", "error")
    assert (typed.value.kind, typed.value.retryable, typed.value.details) == ("Conflict", True, {"n": 1})


def test_every_mistake_has_its_kind(rt: Runtime) -> None:
    pid = rt.spawn("app:echo", "app:processes")
    box = rt.mailbox()
    dead = rt.spawn("app:identity", "app:processes", name="done")
    box.monitor(pid)
    assert kind_of(lambda: box.monitor(pid)) == "AlreadyExists"
    mistakes: dict[str, tuple[str, Callable[[], Any]]] = {
        "unknown entry": ("NotFound", lambda: rt.spawn("app:nothing", "app:processes")),
        "unknown host": ("NotFound", lambda: rt.spawn("app:echo", "app:nowhere")),
        "no namespace": ("NotFound", lambda: rt.spawn("echo", "app:processes")),
        "no process": ("Invalid", lambda: rt.spawn("app:add", "app:processes")),
        "a library": ("Invalid", lambda: rt.spawn("app:library", "app:processes")),
        "no host": ("Invalid", lambda: rt.spawn("app:echo", "app:add")),
        "host not running": ("Unavailable", lambda: rt.spawn("app:echo", "app:off")),
        "host not run yet": ("Unavailable", lambda: rt.spawn("app:echo", "app:terminal")),
        "unknown function": ("NotFound", lambda: rt.call("app:nothing")),
        "function without namespace": ("Invalid", lambda: rt.call("add", 1, 2)),
        "no function": ("NotFound", lambda: rt.call("app:echo")),
        "reserved topic": ("Invalid", lambda: rt.send(pid, "@events")),
        "unknown name": ("NotFound", lambda: rt.send("nobody", "x")),
        "no living pid": ("NotFound", lambda: rt.send("{app:processes|0x00001}", "x")),
        "cancel nobody": ("NotFound", lambda: rt.cancel("nobody")),
        "terminate nobody": ("NotFound", lambda: rt.terminate("nobody")),
        "monitor nobody": ("NotFound", lambda: box.monitor("nobody")),
        "cancel a mailbox": ("Invalid", lambda: rt.cancel(box.pid)),
        "terminate a mailbox": ("Invalid", lambda: rt.terminate(box.pid)),
        "monitor a mailbox": ("Invalid", lambda: box.monitor(box.pid)),
        "start nothing": ("NotFound", lambda: rt.start_service("app:nothing")),
        "stop nothing": ("NotFound", lambda: rt.stop_service("app:nothing")),
    }
    assert {name: kind_of(act) for name, (_, act) in mistakes.items()} == {
        name: kind for name, (kind, _) in mistakes.items()
    }
    assert dead
    assert [info.pid for info in rt.processes() if info.entry == "app:echo"] == [pid]


def test_a_call_that_takes_too_long_is_canceled(rt: Runtime) -> None:
    with pytest.raises(TimeoutError, match="app:wait did not return"):
        rt.call("app:wait", timeout=0.01)
    assert rt.call("app:add", 1, 1) == 2
    assert rt.call("app:add", 1, 1) == 2
    assert [info for info in rt.processes() if info.entry == "app:wait"] == []


def test_an_exec_that_takes_too_long_is_terminated(rt: Runtime) -> None:
    for entry in ("app:deaf", "app:loop"):
        with pytest.raises(TimeoutError, match=f"{entry} did not end"):
            rt.exec(entry, "app:processes", timeout=0.01)
    # twice, since one that was given up before it began is only ended when it has begun
    assert rt.exec("app:identity", "app:processes", 1) == 1
    assert rt.exec("app:identity", "app:processes", 1) == 1
    assert rt.processes() == []


def test_an_exec_given_up_before_it_began_leaves_no_process(rt: Runtime) -> None:
    for _ in range(20):
        with pytest.raises(TimeoutError):
            rt.exec("app:deaf", "app:processes", timeout=0)
    # the first answer comes behind the news of all that began, so that the second question comes behind their ends
    assert rt.exec("app:identity", "app:processes", 1) == 1
    assert rt.exec("app:identity", "app:processes", 1) == 1
    assert rt.processes() == []


def test_events_tell_how_a_process_ended(rt: Runtime) -> None:
    box = rt.mailbox()

    def ended(act: Callable[[str], None]) -> Any:
        pid = rt.spawn("app:echo", "app:processes")
        box.monitor(pid)
        act(pid)
        event = box.events.receive()
        assert (event.kind, event.sender) == ("pid.exit", pid)
        assert event.at > 0
        return event.result

    assert ended(lambda pid: rt.send(pid, "stop", 5)) == {"value": 5}
    assert ended(lambda pid: rt.send(pid, "stop")) == {}
    assert ended(lambda pid: rt.cancel(pid, "enough")) == {"value": "canceled: enough"}
    crashed = ended(lambda pid: rt.send(pid, "crash"))["error"]
    assert "poison" in crashed.message
    terminated = ended(rt.terminate)["error"]
    assert (terminated.kind, terminated.message) == ("Internal", "process terminated")


def test_a_cancel_with_a_deadline_ends_what_does_not_listen(rt: Runtime) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:deaf", "app:processes")
    box.monitor(pid)
    rt.cancel(pid, deadline=0.01)
    error = box.events.receive().result["error"]
    assert (error.kind, error.message) == ("Timeout", "cancel deadline exceeded")


def test_what_is_not_monitored_any_more_is_not_told(rt: Runtime) -> None:
    box = rt.mailbox()
    one, two = rt.spawn("app:echo", "app:processes"), rt.spawn("app:echo", "app:processes")
    box.monitor(one)
    box.monitor(two)
    box.unmonitor(one)
    box.unmonitor(one)
    box.unmonitor("nobody")
    rt.terminate(one)
    rt.terminate(two)
    assert box.events.receive().sender == two
    with pytest.raises(TimeoutError):
        box.events.receive(timeout=0)


def test_a_message_to_one_who_is_gone_is_an_error_or_a_dead_letter(rt: Runtime) -> None:
    box = rt.mailbox()
    pid = rt.spawn("app:deaf", "app:processes")
    box.monitor(pid)
    rt.send(pid, "end")
    refused = 0
    for i in range(200):
        try:
            rt.send(pid, "late", i)
        except ProcessError as error:
            refused += error.kind == "NotFound"
    box.events.receive()
    assert rt.exec("app:identity", "app:processes", 1) == 1
    letters = rt.dead_letters()
    assert refused + len(letters) <= 200
    assert all((letter.to, letter.topic) == (pid, "late") and "ended" in letter.reason for letter in letters)
    assert rt.hosts()[0].dead_letters == len(letters)


def test_a_runtime_tells_of_its_services_and_failures(app: Callable[..., Path]) -> None:
    folder = app(
        ENTRIES
        + """
- name: svc
  kind: process.service
  process: echo
  host: processes
  lifecycle: { auto_start: true, restart: { initial_delay: 1ms, jitter: 0 } }
"""
    )
    told: list[Any] = []
    changed = threading.Condition()

    def on_event(event: Any) -> None:
        with changed:
            told.append(event)
            changed.notify_all()

    def restarted() -> bool:
        return any(
            getattr(e, "state", None) and e.state.retry_count == 1 and e.state.status.value == "running" for e in told
        )

    with Runtime.load(folder) as rt:
        rt.watch(on_event)
        (process,) = [p for p in rt.processes() if p.entry == "app:echo"]
        rt.send(process.pid, "crash")
        with changed:
            changed.wait_for(restarted)
        ended = [event for event in told if getattr(event, "pid", None) == process.pid]
        assert [("poison" in e.failure.message, e.entry, e.host) for e in ended] == [
            (True, "app:echo", "app:processes")
        ]
        states = {state.id: state for state in rt.services()}
        assert (states["app:svc"].retry_count, states["app:svc"].status.value) == (1, "running")
        assert states["app:processes"].started_at is not None
        rt.stop_service("app:svc")
        assert {s.id: s.status.value for s in rt.services()}["app:svc"] == "stopped"
        rt.start_service("app:svc")
        assert {s.id: s.status.value for s in rt.services()}["app:svc"] == "running"


def test_a_callback_that_fails_harms_nobody(rt: Runtime) -> None:
    rt.watch(lambda event: 1 / 0)
    with pytest.raises(ProcessError):
        rt.exec("app:fails", "app:processes")
    assert rt.exec("app:identity", "app:processes", 1) == 1
    assert rt.hosts()[0].vms_lost == 0


def test_mistakes_in_lua_are_told_all_at_once_with_file_and_line(app: Callable[..., Path]) -> None:
    folder = app(
        """
        - { name: one, kind: process.lua, source: file://one.lua }
        - { name: two, kind: library.lua, source: file://two.lua }
        - { name: good, kind: process.lua, source: file://good.lua }
        """,
        one="local x = 1\nlocal function(\n",
        two="\n\nreturn {{\n",
        good="return { main = print }",
    )
    with pytest.raises(FaultsError) as caught, Runtime.load(folder):
        pass
    text = str(caught.value)
    assert "one.lua:2" in text
    assert "two.lua:" in text
    assert "good.lua" not in text


def test_the_text_of_a_source_in_yaml_keeps_its_lines(app: Callable[..., Path]) -> None:
    folder = app("""
    - name: broken
      kind: process.lua
      source: |
        local x = 1
        local = 2
    """)
    with pytest.raises(FaultsError, match=r"_index\.yaml:8"), Runtime.load(folder):
        pass
