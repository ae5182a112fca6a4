"""Real programs: `tutela run` until a signal, `tutela ps` beside it, the demo to its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

INDEX = """\
namespace: shop
entries:
  - name: procs
    kind: process.host
    host: { workers: 1 }
    lifecycle: { auto_start: true, stop_timeout: 60s }
  - name: keeper
    kind: process.lua
    source: file://keeper.lua
    method: run
  - name: keeper_service
    kind: process.service
    process: keeper
    host: procs
    lifecycle: { auto_start: true, stop_timeout: 60s }
"""
OBEDIENT = """\
return { run = function()
  process.registry.register("keeper")
  process.events():receive()
  return "bye"
end }
"""
STUBBORN = """\
return { run = function()
  while true do process.inbox():receive() end
end }
"""

Program = subprocess.Popen[str]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX)
    (folder / "keeper.lua").write_text(OBEDIENT)
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(*args: str | Path) -> Program:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        environment.pop("TUTELA_STATE", None)
        program = subprocess.Popen(
            [sys.executable, "-m", "actors.cli", *map(str, args)],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
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


def _wait_for(program: Program, text: str) -> None:
    assert program.stderr is not None
    lines = []
    for line in program.stderr:
        lines.append(line)
        if text in line:
            return
    pytest.fail(f"{text!r} never came: {''.join(lines)}")


def _end(program: Program) -> tuple[int, str, str]:
    out, err = program.communicate(timeout=50)
    assert "Traceback" not in err
    return program.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_stops_cleanly_at_a_first_signal(app: Path, start: Callable[..., Program], number: signal.Signals) -> None:
    program = start("run", app)
    _wait_for(program, "runtime ready")
    program.send_signal(number)
    code, out, err = _end(program)
    assert (code, out) == (0, "")
    assert err.rstrip().endswith("stopped")
    assert not (app.parent / ".tutela" / "control.sock").exists()


def test_run_ends_at_once_at_a_second_signal(app: Path, start: Callable[..., Program]) -> None:
    (app / "keeper.lua").write_text(STUBBORN)
    program = start("run", app)
    _wait_for(program, "runtime ready")
    program.send_signal(signal.SIGINT)
    _wait_for(program, "stopping")
    program.send_signal(signal.SIGINT)
    code, _, err = _end(program)
    assert code == 1
    assert err.endswith("tutela: stopped at once\n")


def test_ps_shows_what_runs_and_a_second_program_needs_a_state_folder_of_its_own(
    app: Path, start: Callable[..., Program]
) -> None:
    program = start("run", app)
    _wait_for(program, "runtime ready")
    code, out, _ = _end(start("ps", "--json"))
    assert code == 0
    answer = json.loads(out)
    assert answer["program"] == program.pid
    assert {service["id"]: service["status"] for service in answer["services"]} == {
        "shop:keeper_service": "running",
        "shop:procs": "running",
    }
    assert [process["entry"] for process in answer["processes"]] == ["shop:keeper"]
    code, out, _ = _end(start("ps"))
    assert code == 0
    assert "shop:keeper_service" in out
    assert out.rstrip().endswith(f"1 processes, 0 dead letters, program {program.pid}")
    code, _, err = _end(start("run", app))
    assert code == 1
    assert f"another program (process {program.pid}) runs on the state folder" in err
    program.send_signal(signal.SIGINT)
    assert _end(program)[0] == 0


def test_lua_that_does_not_compile_is_a_fault_of_the_app_folder(app: Path, start: Callable[..., Program]) -> None:
    (app / "keeper.lua").write_text("return { run = function(\n")
    code, _, err = _end(start("run", app))
    assert code == 2
    assert "keeper.lua:" in err
    assert "runtime ready" not in err


def test_a_signal_while_services_start_stops_the_program_cleanly(app: Path, start: Callable[..., Program]) -> None:
    program = start("run", app)
    _wait_for(program, "state folder")
    program.send_signal(signal.SIGINT)
    assert _end(program)[0] == 0


def test_strict_start_ends_with_code_1_when_a_service_does_not_come_up(
    app: Path, start: Callable[..., Program]
) -> None:
    (app / "keeper.lua").write_text("return { run = function() error('no key') end }\n")
    (app / "_index.yaml").write_text(INDEX.replace("stop_timeout: 60s }\n", "restart: {max_attempts: 1} }\n"))
    # the process fails after its service has started, so the start itself is sound
    program = start("run", app, "--strict-start")
    _wait_for(program, "no key")
    program.send_signal(signal.SIGINT)
    _end(program)
    (app / "_index.yaml").write_text(INDEX.replace("host: procs", "host: procz"))
    code, _, err = _end(start("run", app, "--strict-start"))
    assert code == 1
    assert "shop:keeper_service" in err


def test_the_demo_ends_by_itself_and_its_figures_fit_together(start: Callable[..., Program]) -> None:
    code, out, err = _end(start("demo", "session_manager", "--json"))
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary["gave_up"] is True
    assert summary["manager_attempts"] == 10
    # every crash but the last one, after which the service gave up, was mended
    assert summary["restarts"] == summary["crashes"] - 1
    assert summary["sessions"] == 18
    assert summary["messages"] >= 160
    assert summary["archived_messages"] == summary["messages"]
    assert summary["silent"] == []
    assert {"archive", "digest", "ana"} <= set(summary["answered"])
    waits = summary["manager_waits"][-9:-3]  # those before the cap, whose growth is more than the jitter
    assert all(later > earlier for earlier, later in pairwise(waits))


def test_the_demo_plays_a_script_and_prints_a_line_for_each_event(
    tmp_path: Path, start: Callable[..., Program]
) -> None:
    script = tmp_path / "mine.txt"
    script.write_text("0 ana connects\n0.1 ana writes olá\n0.2 poison ana\n0.5 ana writes again\n0.6 ana leaves\n")
    code, out, err = _end(start("demo", "session_manager", "--script", script))
    assert (code, err) == (0, "")
    texts = [line[10:] for line in out.splitlines()]
    wanted = ["ana is here", "ana: olá", "ana has a new session, with all of 1 message", "ana: again"]
    assert [text for text in texts if text in wanted] == wanted
    assert any(text.startswith("ana's session crashes: session.lua:") for text in texts)
    assert "sessions 1 · messages 2 · crashes 1 · restarts 1" in out


def test_a_faulty_script_is_told_with_its_lines(tmp_path: Path, start: Callable[..., Program]) -> None:
    script = tmp_path / "mine.txt"
    script.write_text("0 ana connects\nnow ana leaves\n")
    code, out, err = _end(start("demo", "session_manager", "--script", script))
    assert (code, out) == (2, "")
    assert err == f"{script}:2: got 'now', expected a time in seconds, such as 1.5 or +0.2\n"
