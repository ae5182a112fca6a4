"""The commands that start nothing: registry, lint, init, version, and what wrong usage gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from actors.cli.main import cli

INDEX = """\
namespace: shop
entries:
  - name: procs
    kind: process.host
    host: { workers: 2 }
    lifecycle: { auto_start: true }
  - name: ledger
    kind: process.lua
    meta: { comment: keeps balances, tags: [money], rank: 2 }
    source: file://ledger.lua
    method: run
  - name: ledger_service
    kind: process.service
    meta: { comment: runs the ledger }
    process: ledger
    host: shop:procs
    lifecycle: { auto_start: true }
"""
LEDGER = "return { run = function()\n  return 1\nend }\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX)
    (folder / "ledger.lua").write_text(LEDGER)
    return folder


@pytest.fixture
def tutela(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUTELA_STATE", raising=False)

    def invoke(*args: Any, **options: Any) -> Result:
        result = CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="tutela", **options)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return invoke


def test_registry_list_shows_ids_and_kinds_sorted(app: Path, tutela: Callable[..., Result]) -> None:
    result = tutela("registry", "list", app)
    assert result.exit_code == 0
    assert result.stdout == (
        "ID                   KIND\n"
        "shop:ledger          process.lua\n"
        "shop:ledger_service  process.service\n"
        "shop:procs           process.host\n"
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["--kind", "process.*"], ["ledger", "ledger_service", "procs"]),
        (["-k", "process.lua"], ["ledger"]),
        (["--ns", "other"], []),
        (["--name", "*_service"], ["ledger_service"]),
        (["--meta", "rank=2"], ["ledger"]),
        (["--meta", "comment*ledger"], ["ledger_service"]),
        (["--meta", "comment^keeps"], ["ledger"]),
        (["--meta", "comment$balances"], ["ledger"]),
        (["--meta", "comment~^(keeps|runs) "], ["ledger", "ledger_service"]),
        (["--meta", "comment~^(keeps|runs) ", "--meta", "rank=2"], ["ledger"]),
    ],
)
def test_registry_list_filters(app: Path, tutela: Callable[..., Result], filters: list[str], names: list[str]) -> None:
    result = tutela("registry", "list", app, "--json", *filters)
    assert [record["id"] for record in json.loads(result.stdout)] == [f"shop:{name}" for name in names]


@pytest.mark.parametrize("condition", ["comment", "=x", "comment~("])
def test_a_malformed_filter_is_wrong_usage(app: Path, tutela: Callable[..., Result], condition: str) -> None:
    assert tutela("registry", "list", app, "--meta", condition).exit_code == 2


def test_registry_list_gives_full_records_as_json_and_as_yaml(app: Path, tutela: Callable[..., Result]) -> None:
    as_json = json.loads(tutela("registry", "list", app, "--json").stdout)
    assert as_json[0] == {
        "id": "shop:ledger",
        "kind": "process.lua",
        "meta": {"comment": "keeps balances", "tags": ["money"], "rank": 2},
        "data": {"source": LEDGER, "method": "run"},
    }
    assert yaml.safe_load(tutela("registry", "list", app, "--yaml").stdout) == as_json


def test_registry_show_takes_a_whole_id_or_a_bare_name(app: Path, tutela: Callable[..., Result]) -> None:
    by_id = tutela("registry", "show", app, "shop:procs", "--json")
    assert json.loads(by_id.stdout)["kind"] == "process.host"
    assert tutela("registry", "show", app, "procs", "--json").stdout == by_id.stdout


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("kind", "process.lua\n"),
        ("meta.tags.0", "money\n"),
        ("data.method", "run\n"),
        ("method", "run\n"),
        ("meta.rank", "2\n...\n"),
    ],
)
def test_registry_show_shows_one_field(app: Path, tutela: Callable[..., Result], field: str, shown: str) -> None:
    assert tutela("registry", "show", app, "ledger", "-f", field).stdout == shown


def test_registry_show_raw_prints_a_source_verbatim(app: Path, tutela: Callable[..., Result]) -> None:
    assert tutela("registry", "show", app, "ledger", "--field", "source", "--raw").stdout == LEDGER


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ledgr"], "there is no entry ledgr; did you mean ledger?"),
        (["shop:nothing_like_it"], "there is no entry shop:nothing_like_it"),
        (["ledger", "-f", "data.methud"], "shop:ledger has no field data.methud; there are source, method"),
        (["twin"], "twin is the name of several entries: other:twin, shop:twin; write the whole id"),
    ],
)
def test_registry_show_tells_what_is_not_there_with_code_1(
    app: Path, tutela: Callable[..., Result], arguments: list[str], message: str
) -> None:
    for namespace in ("shop", "other"):
        (app / f"{namespace}.yaml").write_text(f"namespace: {namespace}\nname: twin\nkind: registry.entry\n")
    result = tutela("registry", "show", app, *arguments)
    assert result.exit_code == 1
    assert message in result.stderr


def test_overrides_and_profiles_hold_for_listings(app: Path, tutela: Callable[..., Result]) -> None:
    (app / ".wippy.yaml").write_text('profiles: {small: {override: {"shop:procs:host.workers": 1}}}\n')
    shown = tutela("registry", "show", app, "procs", "-f", "host.workers", "--json", "--profile", "small")
    assert json.loads(shown.stdout) == 1
    args = ["-o", "shop:procs:host.workers=7", "--profile", "small"]
    assert json.loads(tutela("registry", "show", app, "procs", "-f", "host.workers", "--json", *args).stdout) == 7
    unknown = tutela("registry", "list", app, "-o", "shop:prox:host.workers=1")
    assert unknown.exit_code == 2
    assert "unknown entry" in unknown.stderr


BROKEN = """\
namespace: shop
entries:
  - name: procs
    kind: process.hots
  - name: worker
    kind: process.lua
    source: file://gone.lua
    method: run
  - name: service
    kind: process.service
    proces: shop:worker
    host: shop:procs
    lifecycle: { start_timeout: soon }
"""


@pytest.mark.parametrize("command", [["lint"], ["registry", "list"], ["run"]])
def test_faults_are_listed_with_file_and_line_and_code_2(
    app: Path, tutela: Callable[..., Result], command: list[str]
) -> None:
    (app / "_index.yaml").write_text(BROKEN)
    result = tutela(*command, app)
    assert result.exit_code == 2
    lines = [line.replace(f"{app}/", "") for line in result.output.splitlines() if "_index.yaml:" in line]
    assert any(line.startswith("_index.yaml:4: shop:procs.kind: got 'process.hots', expected") for line in lines)
    assert any(line.startswith("_index.yaml:7: ") and "gone.lua" in line for line in lines)
    assert any(line.startswith("_index.yaml:13: shop:service.lifecycle.start_timeout: got 'soon'") for line in lines)


def test_lint_finds_no_fault_in_a_sound_app(app: Path, tutela: Callable[..., Result]) -> None:
    result = tutela("lint", app)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "3 entries, no faults\n")


def test_lint_finds_what_would_only_show_at_run_time(app: Path, tutela: Callable[..., Result]) -> None:
    (app / "_index.yaml").write_text(
        INDEX.replace("process: ledger", "process: ledgr")
        .replace("host: shop:procs", "host: shop:ledger")
        .replace("method: run", "method: run\n    metod: run")
        .replace("auto_start: true }\n", "auto_start: true, requires: [gone] }\n", 1)
    )
    (app / "ledger.lua").write_text("return {\n  run = function( return 1 end\n}\n")
    result = tutela("lint", app)
    assert result.exit_code == 2
    lines = [line.replace(f"{app}/", "") for line in result.stdout.splitlines()]
    assert [line for line in lines if not line.startswith("ledger.lua")] == [
        "_index.yaml:6: shop:procs.lifecycle.requires.0: got 'gone', expected the id of an entry; did you mean "
        "'shop:procs'?",
        "_index.yaml:12: shop:ledger.metod: got an unknown field, expected a field of process.lua; did you mean "
        "'method'?",
        "_index.yaml:16: shop:ledger_service.process: got 'ledgr', expected the id of a process.lua, process.python or "
        "workflow.lua; did you mean 'shop:ledger'?",
        "_index.yaml:17: shop:ledger_service.host: got 'shop:ledger' of kind process.lua, expected the id of a "
        "process.host, temporal.worker or terminal.host",
    ]
    assert [line for line in lines if line.startswith("ledger.lua:2: shop:ledger.source: ")]


def test_lint_finds_faults_of_every_sort_in_one_go(app: Path, tutela: Callable[..., Result]) -> None:
    text = INDEX.replace("process: ledger", "process: ledgr").replace("method: run", "method: run\n    metod: run")
    (app / "_index.yaml").write_text(text.replace("auto_start: true", "auto_start: often", 1))
    (app / "ledger.lua").write_text("return {\n  run = function( return 1 end\n}\n")
    result = tutela("lint", app)
    assert result.exit_code == 2
    lines = [line.replace(f"{app}/", "") for line in result.stdout.splitlines()]
    assert [line.split(": ")[1] for line in lines] == [
        "shop:procs.lifecycle.auto_start",
        "shop:ledger.metod",
        "shop:ledger_service.process",
        "shop:ledger.source",
    ]


def test_run_tells_lua_that_does_not_compile_with_the_other_faults(app: Path, tutela: Callable[..., Result]) -> None:
    (app / "_index.yaml").write_text(INDEX.replace("auto_start: true", "auto_start: often", 1))
    (app / "ledger.lua").write_text("return {\n  run = function( return 1 end\n}\n")
    result = tutela("run", app)
    assert result.exit_code == 2
    assert "shop:procs.lifecycle.auto_start: got 'often', expected true or false" in result.output
    assert "ledger.lua:2: shop:ledger.source: " in result.output


def test_lint_gives_its_faults_as_json(app: Path, tutela: Callable[..., Result]) -> None:
    (app / "ledger.lua").write_text("return {\n")
    result = tutela("lint", app, "--json")
    assert result.exit_code == 2
    [fault] = json.loads(result.stdout)["faults"]
    assert fault["entry"] == "shop:ledger"
    assert fault["file"] == f"{app}/ledger.lua"


def test_a_faulty_configuration_is_told_before_anything_is_loaded(app: Path, tutela: Callable[..., Result]) -> None:
    (app / ".wippy.yaml").write_text("shutdown: {timeout: soon}\n")
    for command in (["run"], ["lint"], ["registry", "list"]):
        result = tutela(*command, app)
        assert result.exit_code == 2
        assert ".wippy.yaml:1: shutdown.timeout: got 'soon', expected a duration" in result.output


def test_init_writes_a_lock_file_and_folders_once(tmp_path: Path, tutela: Callable[..., Result]) -> None:
    assert tutela("init").exit_code == 0
    assert yaml.safe_load((tmp_path / "wippy.lock").read_text()) == {
        "directories": {"modules": ".wippy", "src": "./src"}
    }
    assert (tmp_path / "src").is_dir()
    assert (tmp_path / ".wippy").is_dir()
    (tmp_path / "wippy.lock").write_text("directories: {src: ./src}\n")
    again = tutela("init", "--src-dir", "./other")
    assert (again.exit_code, again.stdout) == (0, "wippy.lock is there already; nothing changed\n")
    assert not (tmp_path / "other").exists()


def test_init_takes_names_of_its_own_and_refuses_the_app_folder_as_source(
    tmp_path: Path, tutela: Callable[..., Result]
) -> None:
    assert tutela("init", "-d", ".").exit_code == 2
    assert list(tmp_path.iterdir()) == []
    assert tutela("init", "app", "-d", "defs", "-l", "my.lock").exit_code == 0
    assert (tmp_path / "app" / "my.lock").is_file()
    assert (tmp_path / "app" / "defs").is_dir()


def test_an_app_made_by_init_loads(tmp_path: Path, tutela: Callable[..., Result]) -> None:
    tutela("init")
    (tmp_path / "src" / "_index.yaml").write_text("namespace: a\nname: b\nkind: registry.entry\n")
    assert "a:b" in tutela("registry", "list", ".").stdout


def test_version_prints_a_number_alone_when_asked(tutela: Callable[..., Result]) -> None:
    short = tutela("version", "--short").stdout.strip()
    assert short
    assert tutela("version").stdout.startswith(f"tutela {short} (Python 3.")


def test_ps_without_a_running_app_says_where_it_looked(tmp_path: Path, tutela: Callable[..., Result]) -> None:
    result = tutela("ps")
    assert result.exit_code == 1
    assert f"nothing runs on the state folder {tmp_path}/.tutela" in result.stderr
    assert "elsewhere/.tutela" in tutela("ps", "elsewhere").stderr
    assert f"{tmp_path}/chosen:" in tutela("ps", "--state", "chosen").stderr
    assert "/from/env:" in tutela("ps", env={"TUTELA_STATE": "/from/env"}).stderr


def test_every_command_explains_itself(tutela: Callable[..., Result]) -> None:
    assert "Exit codes: 0" in tutela("--help").stdout
    for name, command in cli.commands.items():
        assert command.help, name
        assert tutela(name, "--help").exit_code == 0


def test_wrong_usage_gives_code_2(tutela: Callable[..., Result]) -> None:
    assert tutela("rn").exit_code == 2
    assert tutela("run").exit_code == 2
    assert tutela("demo", "unknown").exit_code == 2
    assert tutela("demo", "session_manager", "--script", "gone.txt").exit_code == 2


def test_demo_without_a_name_lists_the_demos(tutela: Callable[..., Result]) -> None:
    assert "session_manager" in tutela("demo").stdout
    assert [demo["name"] for demo in json.loads(tutela("demo", "--json").stdout)] == ["session_manager"]
