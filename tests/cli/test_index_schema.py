"""The JSON Schema of entry files: it accepts what the runtime accepts, and refuses what an editor should mark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from actors.cli._index_schema import index_schema
from actors.cli.main import cli
from actors.kinds import CATALOG, EntryKinds
from registry import FaultsError, Registry

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*ROOT.glob("actors/demos/**/*.yaml"), *ROOT.glob("benchmarks/**/*.yaml")])
VALIDATOR = Draft202012Validator(index_schema())

HEAD = "namespace: shop\nentries:\n"


def _problems(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]


def test_the_command_prints_a_sound_schema_as_json() -> None:
    result = CliRunner().invoke(cli, ["registry", "schema"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed == index_schema()
    Draft202012Validator.check_schema(printed)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_file_that_ships_is_accepted(file: Path) -> None:
    assert _problems(yaml.safe_load(file.read_text())) == []


def test_demos_and_benchmarks_are_among_them() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in SHIPPED} == {"actors", "benchmarks"}


@pytest.mark.parametrize("kind", sorted(CATALOG))
def test_every_kind_has_its_branch_and_refuses_unknown_fields_unless_it_takes_any_data(kind: str) -> None:
    entry = {"name": "x", "kind": kind, "no_such_field": 1}
    told = any("no_such_field" in problem for problem in _problems({"namespace": "a", "entries": [entry]}))
    assert told is (CATALOG[kind].model is not None)


RIGHT = [
    "- { name: procs, kind: process.host, host: { workers: 2 }, lifecycle: { auto_start: true, stop_timeout: 1m30s } }",
    "- { name: procs, kind: process.host, host: { workers: '${env:WORKERS|2}' }, mailbox: }",
    "- { name: p, kind: process.lua, source: 'file://x.lua', meta: { anything: [1], command: { name: go } } }",
    "- { name: t, kind: supervisor, strategy: one_for_all, period: 10s, children: [s, { id: s2, restart: transient }] }"
    "\n"
    "  - { name: s, kind: process.service, process: p, host: h, input: [1, { a: b }] }\n"
    "  - { name: s2, kind: process.service, process: p, host: h }",
    "- { name: e, kind: registry.entry, whatever: { you: like } }",
    "- { name: r, kind: security.policy, policy: { actions: '*', resources: [a, b], effect: allow } }",
    "- { name: d, kind: terminal.host, data: { hide_logs: true }, ignored: 1 }",
    "- { name: f, kind: function.lua, source: return 1, method: m, modules: [time, json], pool: { type: static } }",
]
WRONG = [
    ("- { name: procs, kind: process.hots }", "process.hots"),
    ("- { kind: registry.entry }", "'name' is a required property"),
    ("- { name: ' ', kind: registry.entry }", "' '"),
    ("- { name: procs, kind: process.host, host: { workers: many } }", "many"),
    ("- { name: procs, kind: process.host, host: { workers: -1 } }", "-1"),
    ("- { name: procs, kind: process.host, host: { wrokers: 1 } }", "wrokers"),
    ("- { name: procs, kind: process.host, lifecycle: { stop_timeout: soon } }", "soon"),
    ("- { name: procs, kind: process.host, lifecycle: { stop_timeout: 5 } }", "5"),
    ("- { name: procs, kind: process.host, lifecycle: { restart: { jitter: 2 } } }", "2"),
    ("- { name: p, kind: process.lua }", "'source' is a required property"),
    ("- { name: p, kind: process.lua, source: return 1, modules: [tiem] }", "tiem"),
    ("- { name: p, kind: process.lua, source: return 1, meta: { command: { short: x } } }", "'name' is a required"),
    ("- { name: t, kind: supervisor, strategy: all_for_one }", "all_for_one"),
    ("- { name: t, kind: supervisor, children: [{ id: s, restart: sometimes }] }", "sometimes"),
    ("- { name: r, kind: security.policy, policy: { actions: '*', resources: '*', effect: perhaps } }", "perhaps"),
    ("- { name: d, kind: terminal.host, data: { hide_lgos: true } }", "hide_lgos"),
    ("- { name: x, kind: registry.entry, meta: { depends_on: a } }", "'a'"),
]


def _load(folder: Path, text: str) -> list[str]:
    (folder / "_index.yaml").write_text(text)
    (folder / "x.lua").write_text("return function() end")
    try:
        Registry.load(folder, kinds=EntryKinds(), strict=True)
    except FaultsError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_runtime_loads_the_schema_accepts(tmp_path: Path, text: str) -> None:
    text = f"{HEAD}  {text}\n"
    assert _problems(yaml.safe_load(text)) == []
    assert _load(tmp_path, text) == []


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_what_the_schema_refuses_the_runtime_does_not_load(tmp_path: Path, text: str, told: str) -> None:
    text = f"{HEAD}  {text}\n"
    problems = _problems(yaml.safe_load(text))
    assert any(told in problem for problem in problems), problems
    assert _load(tmp_path, text) != []


def test_a_file_may_hold_a_single_entry() -> None:
    single = {"namespace": "a", "version": "1.0", "name": "x", "kind": "terminal.host", "hide_logs": True}
    assert _problems(single) == []
    assert _problems({**single, "hide_lgos": True}) != []
    assert _problems({"namespace": "a"}) != []
    assert _problems({"entries": []}) != []


def test_defaults_are_written_as_people_write_them_and_fields_are_described() -> None:
    definitions = index_schema()["$defs"]
    lifecycle = definitions["LifecycleSpec"]["properties"]
    assert lifecycle["start_timeout"]["default"] == "10s"
    assert lifecycle["auto_start"]["default"] is False
    assert "built-in modules" in definitions["process.lua"]["properties"]["modules"]["description"]
    assert not any("spec" in definition.get("description", "") for definition in definitions.values())
