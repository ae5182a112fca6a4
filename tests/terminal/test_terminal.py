"""The terminal host: one process, its streams, and the end of the runtime with it."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from typing import Any

import pytest

from actors import ProcessError
from actors.terminal import Ending, Terminal
from tests.terminal.conftest import Screen

Make = Callable[..., Screen]


def test_print_joins_with_tabs_and_write_adds_nothing(screen: Make) -> None:
    app = screen("""return function(who)
      assert(io.print("hello", who, nil, 7) == true)
      assert(io.write("a", 1, "b") == true)
      assert(io.eprint("careful", true))
      assert(io.flush())
    end""")
    assert app.run("Ann") == 0
    assert app.out == "hello\tAnn\tnil\t7\na1b"
    assert app.err == "careful\ttrue\n"


def test_bytes_pass_unchanged(screen: Make) -> None:
    app = screen(r'return function() io.write("\xff\0é") end')
    assert app.run() == 0
    assert app.stdout.getvalue() == b"\xff\0\xc3\xa9"


@pytest.mark.parametrize(
    ("body", "code", "out", "err"),
    [
        ("return 3", 3, "", ""),
        ("return -2", 1, "", ""),
        ("return false", 1, "", ""),
        ("return {1, f = {}}", 0, "", ""),
        ("return 'bye'", 0, "bye\n", ""),
        ("return nil, 'no such file'", 1, "", "no such file\n"),
        ("return nil, errors.new({message = 'no', details = {f = 1}})", 1, "", "no\n"),
    ],
)
def test_what_main_returns_decides_the_exit_code(screen: Make, body: str, code: int, out: str, err: str) -> None:
    app = screen(f"return function() {body} end")
    assert (app.run(), app.out) == (code, out)
    assert app.err.startswith(err)
    assert bool(app.err) == bool(err)


def test_a_raised_error_is_told_with_file_and_line(screen: Make) -> None:
    app = screen("local function work()\n  error('boom')\nend\nreturn function()\n  work()\nend")
    assert app.run() == 1
    assert app.err.startswith("main.lua:2: boom\n  main.lua:2 in work\n  main.lua:5")


def test_lines_are_read_without_their_newlines_until_the_end(screen: Make) -> None:
    app = screen(
        """return function()
          while true do
            local line, err = io.readline()
            if not line then return err:kind() .. " " .. err:message() end
            io.print("[" .. line .. "]")
          end
        end""",
        stdin="one\r\n\ntwo\nlast",
    )
    assert app.run() == 0
    assert app.out == "[one]\n[]\n[two]\n[last]\nUnavailable EOF\n"


def test_read_gives_what_there_is_and_no_more_than_asked_for(screen: Make) -> None:
    source, feed = os.pipe()
    os.write(feed, b"abcdefgh\nrest")
    os.close(feed)
    with os.fdopen(source, "rb") as stdin:
        app = screen(
            """return function()
              io.print(io.read(3), io.read(0), select(2, io.read(-1)):message(), select(2, io.readline()):message())
            end""",
            stdin=stdin,
        )
        assert app.run() == 0
    assert app.out == "abc\tdefgh\nrest\tEOF\tEOF\n"


def test_a_blocked_read_blocks_only_its_coroutine_and_readers_are_served_in_order(screen: Make) -> None:
    source, feed = os.pipe()
    with os.fdopen(source, "rb") as stdin:
        app = screen(
            """return function()
              local done = channel.new(3)
              for i = 1, 2 do
                coroutine.spawn(function() io.print(i, io.readline()) done:send(true) end)
              end
              io.print("ready")
              process.send(process.inbox():receive():payload():data(), "go")
              done:receive() done:receive()
            end""",
            stdin=stdin,
        )
        with app.rt:
            box = app.rt.mailbox()
            pid = app.rt.spawn("app:main", "app:term")
            app.rt.send(pid, "who", box.pid)
            box.receive(30)  # the main coroutine went on while two others wait for input
            assert app.out == "ready\n"
            os.write(feed, b"first\nsecond\n")
            assert app.rt.wait(30) == 0
            box.close()
        os.close(feed)
    assert app.out == "ready\n1\tfirst\n2\tsecond\n"


def test_a_process_that_waits_for_input_can_be_terminated_and_the_code_is_1(screen: Make) -> None:
    source, feed = os.pipe()
    with os.fdopen(source, "rb") as stdin:
        app = screen("return function() io.print('here') io.readline() end", stdin=stdin)
        with app.rt:
            app.rt.terminate(app.rt.spawn("app:main", "app:term"))
            assert app.rt.wait(30) == 1
        os.close(feed)
    assert app.err == "process terminated\n"


def test_the_arguments_are_those_of_the_terminal(screen: Make) -> None:
    app = screen("return function(...) io.print(select('#', ...), unpack(io.args())) end", args=("a", "b c"))
    assert app.run("a", "b c") == 0
    assert app.out == "2\ta\tb c\n"


def test_a_second_process_is_refused_while_the_first_lives(screen: Make) -> None:
    app = screen("""return function()
      local pid, err = process.spawn("app:other", "app:term")
      io.print(pid, err:kind(), err:retryable(), err:message():match("one process at a time"))
      process.inbox():receive()
    end""")
    with app.rt:
        pid = app.rt.spawn("app:main", "app:term")
        with pytest.raises(ProcessError, match="one process at a time") as refused:
            app.rt.spawn("app:other", "app:term")
        assert refused.value.kind == "Unavailable"
        app.rt.send(pid, "end")
        assert app.rt.wait(30) == 0
    assert app.out == "nil\tUnavailable\ttrue\tone process at a time\n"


def test_a_script_that_does_not_load_leaves_the_host_free(screen: Make) -> None:
    app = screen("return function() return 7 end", "error('not today')")
    with app.rt:
        with pytest.raises(ProcessError, match="not today"):
            app.rt.spawn("app:other", "app:term")
        app.rt.spawn("app:main", "app:term")
        assert app.rt.wait(30) == 7


def test_names_monitors_and_messages_work_on_a_terminal_host(screen: Make) -> None:
    app = screen(
        "return function() io.print('got', process.inbox():receive():payload():data()) return 4 end",
        """return function()
          local pid = process.with_context({}):with_name("shell"):with_message("hi", "there")
            :spawn_monitored("app:main", "app:term")
          local event = process.events():receive()
          process.send(process.inbox():receive():payload():data(), "told", {event.from == pid, event.result.value})
        end""",
    )
    with app.rt:
        box = app.rt.mailbox()
        watcher = app.rt.spawn("app:other", "app:procs")
        app.rt.send(watcher, "to", box.pid)
        told = box.receive(30)
        assert told is not None
        assert told.payload == [True, 4]
        assert app.rt.wait(30) == 4
        box.close()
    assert app.out == "got\tthere\n"


@pytest.mark.parametrize("call", ["print(1)", "eprint(1)", "write('x')", "flush()", "readline()", "read()", "args()"])
def test_io_is_unavailable_elsewhere(screen: Make, call: str) -> None:
    app = screen(
        "return function() end", f"return function() local v, err = io.{call} return {{v == nil, err:kind()}} end"
    )
    with app.rt:
        assert app.rt.exec("app:other", "app:procs", timeout=30) == [True, "Unavailable"]
    assert app.out == app.err == ""


class _Closed(io.BytesIO):
    def write(self, data: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_writing_to_a_closed_stream_gives_an_error_from_then_on(screen: Make) -> None:
    app = screen("""return function()
      io.print("lost")
      local ok, err
      repeat time.sleep("1ms") ok, err = io.print("again") until not ok
      io.eprint(err:kind(), err:message())
      return 9
    end""")
    app.rt._terminal._outputs[1] = _Closed()
    assert app.run() == 9
    assert app.err == "Unavailable\tstdout is closed: [Errno 32] Broken pipe\n"


def test_a_vm_that_is_lost_ends_the_program_that_its_process_was() -> None:
    class Worker:
        vm = 3

        def post(self, item: Any) -> None:
            item()

    errors = io.BytesIO()
    terminal, ending = Terminal(io.StringIO(), io.BytesIO(), errors), Ending(lambda: None)
    terminal.connect(ending, lambda: False)
    terminal.lost(3, "worker lost")
    assert ending.code is None
    terminal.handle(Worker(), [20, "began", "{app:term|0x1}", False])
    terminal.lost(2, "worker lost")
    assert ending.code is None
    terminal.lost(3, "worker lost")
    assert (ending.wait(30), errors.getvalue()) == (1, b"worker lost\n")
    ending.join()


def test_the_first_end_counts_and_the_runtime_stops_by_itself(screen: Make) -> None:
    app = screen("return function() system.exit(5) return 6 end")
    app.rt.start()
    app.rt.spawn("app:main", "app:term")
    assert app.rt.wait(30) == 5
    app.rt.stop()
    with pytest.raises(ProcessError, match="stopped"):
        app.rt.spawn("app:main", "app:term")


def test_hide_logs_keeps_records_off_the_terminal_while_the_process_runs(
    screen: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    app = screen("return function() io.print('up') process.inbox():receive() end", hide=True)
    shown = io.StringIO()
    app.rt._terminal._outputs[2] = shown
    handler = logging.StreamHandler(shown)
    logging.getLogger().addHandler(handler)
    try:
        with app.rt:
            logging.getLogger("test").warning("before")
            pid = app.rt.spawn("app:main", "app:term")
            logging.getLogger("test").warning("meanwhile")
            app.rt.send(pid, "end")
            assert app.rt.wait(30) == 0
            logging.getLogger("test").warning("after")
    finally:
        logging.getLogger().removeHandler(handler)
    assert shown.getvalue() == "before\nafter\n"
