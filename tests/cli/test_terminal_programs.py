"""Real programs on a terminal host: streams, exit codes, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

INDEX = """\
namespace: shop
entries:
  - name: term
    kind: terminal.host
    lifecycle: { auto_start: true }
  - name: echo
    kind: process.lua
    meta: { command: { name: echo } }
    modules: [io, logger, system]
    source: file://echo.lua
"""
ECHO = """\
local logger = require("logger")
return function(...)
  io.print(...)
  logger:info("seen by nobody")
  if (...) == "wait" then
    process.events():receive()
    return 7
  end
  if (...) == "leave" then
    system.exit(9)
    process.events():receive()
  end
  local n = 0
  while true do
    local line = io.readline()
    if not line then break end
    n = n + 1
    io.eprint(n, line)
  end
  return n
end
"""

Program = subprocess.Popen[str]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "_index.yaml").write_text(INDEX)
    (tmp_path / "shop" / "echo.lua").write_text(ECHO)
    programs: list[Program] = []

    def start(*args: str) -> Program:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        environment.pop("TUTELA_STATE", None)
        program = subprocess.Popen(
            [sys.executable, "-m", "actors.cli", "run", "shop", *args],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        programs.append(program)
        return program

    yield start
    for program in programs:
        program.kill()
        program.communicate()


def test_a_command_has_the_streams_the_arguments_and_the_exit_code(start: Callable[..., Program]) -> None:
    program = start("echo", "Ann", "--loud", "-v")
    out, err = program.communicate("one\ntwo\nthree", timeout=50)
    assert (program.returncode, out, err) == (3, "Ann\t--loud\t-v\n", "1\tone\n2\ttwo\n3\tthree\n")


def test_a_flag_of_logging_brings_the_log_back_on_stderr(start: Callable[..., Program]) -> None:
    program = start("-v", "-x", "shop:echo")
    out, err = program.communicate("", timeout=50)
    assert (program.returncode, out) == (0, "\n")
    assert "seen by nobody" in err


def test_a_signal_stops_a_command_gracefully_and_the_code_is_0(start: Callable[..., Program]) -> None:
    program = start("echo", "wait")
    assert program.stdout is not None
    assert program.stdout.readline() == "wait\n"
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=50)
    assert (program.returncode, out, err) == (0, "", "")


def test_exit_ends_the_program_with_its_code_and_two_commands_share_a_state_folder(
    start: Callable[..., Program],
) -> None:
    first = start("echo", "wait")
    assert first.stdout is not None
    assert first.stdout.readline() == "wait\n"
    second = start("echo", "leave")
    out, _ = second.communicate(timeout=50)
    assert (second.returncode, out) == (9, "leave\n")
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=50)
    assert first.returncode == 0


def test_a_reader_that_goes_away_ends_no_command(start: Callable[..., Program]) -> None:
    program = start("echo", "x")
    assert program.stdout is not None
    program.stdout.close()
    program.stdout = None
    _, err = program.communicate("a line\n", timeout=50)
    assert (program.returncode, err) == (1, "1\ta line\n")


def test_a_terminal_host_that_does_not_come_up_ends_the_program_with_its_state(
    tmp_path: Path, start: Callable[..., Program]
) -> None:
    text = INDEX.replace("auto_start: true", "auto_start: true, requires: [gone]")
    (tmp_path / "shop" / "_index.yaml").write_text(text)
    program = start("echo")
    _, err = program.communicate("", timeout=50)
    assert program.returncode == 1
    assert "shop:term" in err
    assert "Traceback" not in err
