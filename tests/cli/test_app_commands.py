"""Commands of an app: which there are, what wrong ones give; nothing runs here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actors.cli._commands import Main, command_main, entry_main
from actors.cli._run import run
from actors.cli.main import cli
from actors.kinds import EntryKinds
from registry import Registry

INDEX = """\
namespace: shop
entries:
  - { name: term, kind: terminal.host }
  - name: greet
    kind: process.lua
    meta: { command: { name: greet, short: say hello } }
    source: return function() end
  - name: leave
    kind: process.lua
    meta: { command: { name: go } }
    source: return function() end
  - name: check
    kind: process.lua
    meta: { command: { name: check, use_case: test } }
    source: return function() end
  - name: add
    kind: function.lua
    source: return function() end
    method: add
"""
SECOND = """\
namespace: more
entries:
  - { name: term, kind: terminal.host }
  - name: greet
    kind: process.lua
    meta: { command: { name: greet } }
    source: return function() end
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX)
    return tmp_path


def _load(app: Path) -> Registry:
    return Registry.load(app, kinds=EntryKinds())


def _tutela(*args: Any) -> Result:
    result = CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="tutela")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_list_shows_the_commands_sorted_and_leaves_out_other_use_cases(app: Path) -> None:
    result = _tutela("run", app, "list")
    assert (result.exit_code, result.stdout) == (0, "Available commands:\n  go\n  greet  say hello\n")


def test_list_gives_the_commands_as_json(app: Path) -> None:
    listed = json.loads(_tutela("run", app, "list", "--json").stdout)
    assert [(command["name"], command["short"]) for command in listed] == [("go", ""), ("greet", "say hello")]
    assert all(command["id"].startswith("shop:") for command in listed)


def test_list_says_when_there_are_none(app: Path) -> None:
    (app / "_index.yaml").write_text("namespace: shop\nentries: []\n")
    assert _tutela("run", app, "list").stdout == "No commands available\n"
    assert json.loads(_tutela("run", app, "list", "--json").stdout) == []


@pytest.mark.parametrize("arguments", [["list"], ["greet"]])
def test_two_commands_of_one_name_are_an_error_that_names_both(app: Path, arguments: list[str]) -> None:
    (app / "more.yaml").write_text(SECOND)
    result = _tutela("run", app, *arguments)
    assert result.exit_code == 2
    assert "the command greet is there twice, in more:greet and shop:greet" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gret"], "the app has no command gret; did you mean 'greet'? `tutela run PATH list` lists its commands"),
        (["check"], "the app has no command check"),
        (["-x", "greet"], "-x greet: write the whole id"),
        (["-x", ":greet"], "-x :greet: write the whole id"),
        (["-x", "shop:gret"], "-x shop:gret: there is no such entry; did you mean 'shop:greet'?"),
        (["-x", "shop:add"], "-x shop:add: that is a function.lua"),
        (["--host", "shop:term"], "--host is for a command or -x"),
        (["--host", "shop:greet", "greet"], "that is no terminal.host of the app; there are: shop:term"),
    ],
)
def test_what_cannot_be_run_is_wrong_usage(app: Path, arguments: list[str], message: str) -> None:
    result = _tutela("run", app, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_a_choice_of_one_terminal_host_the_error_lists_them(app: Path) -> None:
    (app / "more.yaml").write_text(SECOND.replace("name: greet", "name: hi"))
    result = _tutela("run", app, "greet")
    assert result.exit_code == 2
    assert "several terminal hosts, choose one with --host: more:term, shop:term" in result.stderr
    assert command_main(_load(app), "greet", (), "more:term") == Main("shop:greet", "more:term")
    (app / "more.yaml").unlink()
    (app / "_index.yaml").write_text(INDEX.replace("  - { name: term, kind: terminal.host }\n", ""))
    result = _tutela("run", app, "greet")
    assert result.exit_code == 2
    assert "no terminal host" in result.stderr


def test_a_command_and_an_entry_come_to_the_same(app: Path) -> None:
    main = Main("shop:greet", "shop:term", ("Ann",))
    assert command_main(_load(app), "greet", ("Ann",), None) == main
    assert entry_main(_load(app), "shop:greet", ("Ann",), None) == main


@pytest.mark.parametrize(
    ("given", "path", "command", "execute", "strict"),
    [
        (["app", "--strict-start"], "app", (), None, True),
        (["app", "--strict-start", "greet", "-v", "--host", "x", "--", "-s"], "app", "-v --host x -- -s", None, True),
        (["-o", "a:b:c=d", "app", "greet", "--strict-start"], "app", "--strict-start", None, False),
        (["app", "-x", "a:b", "--strict-start", "one", "-v"], "app", ("one", "-v"), "a:b", True),
        (["app", "-xa:b", "one"], "app", ("one",), "a:b", False),
        (["--exec=a:b", "app", "--", "-v"], "app", ("-v",), "a:b", False),
    ],
)
def test_flags_end_where_the_command_begins(
    given: list[str], path: str, command: tuple[str, ...] | str, execute: str | None, strict: bool
) -> None:
    parsed = run.make_context("run", list(given)).params
    if isinstance(command, str):
        command = ("greet", *command.split())
    assert (str(parsed["path"]), parsed["command"]) == (path, command)
    assert (parsed["execute"], parsed["strict_start"]) == (execute, strict)
