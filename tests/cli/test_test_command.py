"""`tutela test`: the built-in runner, its report and its exit codes; a runner of the app's own."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from actors import apptests
from actors.cli._report import Report
from actors.cli.main import cli

INDEX = """\
namespace: shop
entries:
  - { name: procs, kind: process.host, host: { workers: 1 }, lifecycle: { auto_start: true } }
  - name: ledger
    kind: process.lua
    method: run
    source: |
      return { run = function()
        process.registry.register("ledger")
        process.events():receive()
      end }
  - { name: ledger_service, kind: process.service, process: ledger, host: procs, lifecycle: { auto_start: true } }
  - name: finds_the_ledger
    kind: function.lua
    meta: { type: test, suite: services, name: "[finds] the ledger" }
    method: run
    source: |
      return { run = function()
        -- the service has started, its process may not have run yet
        while not process.registry.lookup("ledger") do require("time").sleep("1ms") end
      end }
    modules: [time]
  - name: adds
    kind: function.lua
    meta: { type: test, order: 1 }
    method: adds
    source: file://tests.lua
  - name: refuses
    kind: function.lua
    meta: { type: test, order: 2 }
    method: refuses
    source: file://tests.lua
  - name: hangs
    kind: function.lua
    meta: { type: test, order: 3, timeout: 50ms }
    method: hangs
    source: file://tests.lua
"""
TESTS = """\
local function check(ok, message)
  if not ok then error(message) end
end
return {
  adds = function() check(1 + 1 == 2, "no sum") end,
  refuses = function() check(false, "it paid") end,
  hangs = function() while true do end end,
}
"""


@pytest.fixture(autouse=True)
def _the_log_is_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX)
    (folder / "tests.lua").write_text(TESTS)
    return folder


@pytest.fixture
def tutela(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUTELA_STATE", raising=False)

    def invoke(*args: Any) -> Result:
        result = CliRunner().invoke(cli, ["test", *map(str, args)], prog_name="tutela")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


def test_failures_are_told_with_file_line_and_stack_and_the_code_is_1(
    app: Path, tutela: Callable[..., Result], tmp_path: Path
) -> None:
    result = tutela(app, "--junit", "out.xml")
    assert result.exit_code == 1
    lines = [line.split(" (0.")[0].removesuffix(" in main").rstrip() for line in result.stdout.splitlines()]
    assert lines[0].startswith("(no suite): 1 passed, 2 failed, ")
    assert lines[1:9] == [
        "  ok    shop:adds",
        "  FAIL  shop:refuses",
        f"        {app}/tests.lua:2",
        "        tests.lua:2: it paid",
        "          tests.lua:2 in check",
        "          tests.lua:6",
        "  FAIL  shop:hangs",
        f"        {app}/_index.yaml:{INDEX.splitlines().index('  - name: hangs') + 1}",
    ]
    assert lines[9] == "        the test took longer than 0.05 s"
    assert lines[10].startswith("services: 1 passed, ")
    assert lines[11] == "  ok    [finds] the ledger"
    assert len(lines) == 13
    assert lines[12].startswith("2 passed, 2 failed in ")
    assert (tmp_path / "out.xml").read_text().count("<testcase ") == 4
    assert not (tmp_path / ".tutela").exists()


def test_json_holds_every_test(app: Path, tutela: Callable[..., Result]) -> None:
    result = tutela(app, "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["passed"], answer["failed"]) == (2, 2)
    assert [test["id"] for test in answer["tests"]] == [
        "shop:adds",
        "shop:refuses",
        "shop:hangs",
        "shop:finds_the_ledger",
    ]
    refused = answer["tests"][1]
    assert (refused["message"], refused["file"], refused["line"]) == ("tests.lua:2: it paid", f"{app}/tests.lua", 2)
    assert refused["stack"][0] == "tests.lua:2 in check"


@pytest.mark.parametrize(
    ("pattern", "code", "told"), [("adds", 0, "1 passed in "), ("nowhere", 1, "no test has 'nowhere' in its id")]
)
def test_a_filter_chooses_and_one_that_finds_nothing_fails(
    app: Path, tutela: Callable[..., Result], pattern: str, code: int, told: str
) -> None:
    result = tutela(app, pattern)
    assert result.exit_code == code
    assert told in result.output


def test_an_app_without_tests_has_none_that_fail(app: Path, tutela: Callable[..., Result]) -> None:
    (app / "_index.yaml").write_text("namespace: shop\nentries: []\n")
    result = tutela(app)
    assert (result.exit_code, result.stdout) == (0, "no tests\n")


def test_lua_that_does_not_compile_is_a_fault_of_the_app(app: Path, tutela: Callable[..., Result]) -> None:
    (app / "tests.lua").write_text("return {")
    result = tutela(app)
    assert result.exit_code == 2
    assert f"{app}/tests.lua:1" in result.stderr


def test_a_runner_of_the_app_is_run_on_its_terminal_with_the_filter(app: Path, tmp_path: Path) -> None:
    (app / "runner.yaml").write_text(
        "namespace: shop.tests\nentries:\n"
        "  - { name: term, kind: terminal.host, lifecycle: { auto_start: true } }\n"
        "  - name: runner\n    kind: process.lua\n    modules: [io]\n"
        "    meta: { command: { name: all, use_case: test } }\n"
        "    source: return function(what) io.print('testing', what) return 4 end\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "actors.cli", "test", "shop", "adds"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (4, "testing\tadds\n", "")
    refused = CliRunner().invoke(cli, ["test", str(app), "--json"])
    assert refused.exit_code == 2
    assert "belong to the built-in runner" in refused.stderr


def test_a_signal_stops_the_tests_and_the_code_is_1(app: Path, tmp_path: Path) -> None:
    (app / "tests.lua").write_text(TESTS.replace("hangs = function()", "hangs = function() print('begun')"))
    (app / "_index.yaml").write_text(INDEX.replace("50ms", "50s"))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "actors.cli", "test", "shop", "-v"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True) as program:
        assert program.stderr is not None
        assert any("begun" in line for line in program.stderr)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=50)
    assert program.returncode == 1
    assert "stopped after 2 of 4 tests" in err
    assert "1 passed, 1 failed in " in out
    assert "hangs" not in out


def test_in_a_terminal_the_report_shows_progress_and_colours() -> None:
    screen = io.StringIO()
    report = Report(2, console=Console(file=screen, force_terminal=True, width=80, highlight=False))
    good = apptests.Result(apptests.Case("a:x", "adds [up]"), True, 0.1)
    with report:
        report.begin(good.case)
        report.tell(good)
        report.begin(apptests.Case("a:y", "next one"))
    report.end([good])
    shown = screen.getvalue()
    assert "\x1b[" in shown
    assert "1/2" in shown
    assert "next one" in shown
    assert "adds [up]" in shown
