"""The configuration file: what is merged with what, and how mistakes are told."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from actors.config import Config, ConfigError, Encoding, History, load_config


def _load(folder: Path, text: str = "", **options: Any) -> Config:
    (folder / ".wippy.yaml").write_text(text)
    options.setdefault("environ", {})
    return load_config(folder, **options)


def _faults(folder: Path, text: str = "", **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        _load(folder, text, **options)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_config(tmp_path, environ={}) == Config(base=tmp_path)


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert _load(tmp_path, "# nothing\n") == Config(base=tmp_path)


def test_every_section_of_the_spec_is_read(tmp_path: Path) -> None:
    config = _load(
        tmp_path,
        """
version: "1.0"
logger: { encoding: json }
logmanager: { min_level: 2, propagate_downstream: false, stream_to_events: true }
registry: { history_type: sqlite, history_path: versions.db }
shutdown: { timeout: 1m30s }
relay: { node_name: n1 }
security: { strict_mode: true }
disable: { namespaces: [legacy.**], entries: ["shop:old_*"] }
supervisor: { host: { buffer_size: 10, worker_count: 2 } }
override:
  "shop:procs:host.workers": 2
  "shop:procs:meta.tags": [a, b]
""",
    )
    assert config.log_encoding is Encoding.JSON
    assert config.log_level == logging.ERROR
    assert (config.log_downstream, config.log_to_events) == (False, True)
    assert (config.history, config.history_path) == (History.SQLITE, "versions.db")
    assert config.shutdown_timeout == 90.0
    assert config.node_name == "n1"
    assert config.strict_security
    assert config.disable == {"namespaces": ("legacy.**",), "entries": ("shop:old_*",)}
    assert config.overrides == {"shop:procs:host.workers": 2, "shop:procs:meta.tags": ["a", "b"]}
    assert config.warnings == ()


def test_history_switched_off_beats_its_type(tmp_path: Path) -> None:
    assert _load(tmp_path, "registry: {enable_history: false, history_type: sqlite}").history is History.NONE


def test_later_files_win_leaf_by_leaf(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "a.yaml", tmp_path / "b.yaml"
    first.parent.mkdir()
    first.write_text("relay: {node_name: one}\nlogmanager: {min_level: -1, stream_to_events: true}\n")
    second.write_text("logmanager: {min_level: 1}\n")
    config = load_config(tmp_path, files=[first, second], environ={})
    assert (config.node_name, config.log_level, config.log_to_events) == ("one", logging.WARNING, True)
    assert config.base == first.parent


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone.yaml: got No such file or directory, expected a readable"):
        load_config(tmp_path, files=[tmp_path / "gone.yaml"])


PROFILES = """
relay: { node_name: base }
shutdown: { timeout: 5s }
disable: { namespaces: [a, b] }
profiles:
  prod:
    relay: { node_name: prod }
    disable: { namespaces: { add: [c], remove: [a] }, entries: { add: ["x:y"] } }
  quick:
    relay: { node_name: quick }
    disable: { namespaces: [z] }
"""


def test_profiles_lie_over_the_files_in_the_order_given(tmp_path: Path) -> None:
    config = _load(tmp_path, PROFILES, profiles=["prod"])
    assert (config.node_name, config.shutdown_timeout) == ("prod", 5.0)
    assert config.disable == {"namespaces": ("b", "c"), "entries": ("x:y",)}
    assert _load(tmp_path, PROFILES, profiles=["quick", "prod"]).disable["namespaces"] == ("z", "c")
    assert _load(tmp_path, PROFILES, profiles=["prod", "quick"]).node_name == "quick"


def test_an_unknown_profile_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    assert _faults(tmp_path, PROFILES, profiles=["prd"]) == [
        "--profile prd: got 'prd', expected 'prod' or 'quick'; did you mean 'prod'?"
    ]


def test_set_beats_profiles_and_files(tmp_path: Path) -> None:
    config = _load(tmp_path, PROFILES, profiles=["prod"], settings=["relay.node_name=set", "logmanager.min_level=-1"])
    assert (config.node_name, config.log_level) == ("set", logging.DEBUG)


@pytest.mark.parametrize("text", ["relay.node_name", "=x", "relay..name=x"])
def test_a_set_without_key_or_value_is_a_fault(tmp_path: Path, text: str) -> None:
    [fault] = _faults(tmp_path, settings=[text])
    assert fault.startswith(f"--set {text}: got ")
    assert fault.endswith("expected section.path=value")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("FALSE", False),
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("-0", "-0"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("10.0.0.5:7233", "10.0.0.5:7233"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_the_value_of_an_override_gets_the_type_it_looks_like(tmp_path: Path, text: str, value: Any) -> None:
    changes = _load(tmp_path, overrides=[f"shop:client:address={text}"]).overrides
    assert changes == {"shop:client:address": value}
    assert type(changes["shop:client:address"]) is type(value)


def test_an_override_of_the_command_line_beats_that_of_the_file_and_a_later_one_an_earlier_one(tmp_path: Path) -> None:
    config = _load(tmp_path, 'override: {"a:b:c": 1, "a:b:d": 1}', overrides=["a:b:c=2", "a:b:kind=x", "a:b:c=3"])
    assert config.overrides == {"a:b:d": 1, "a:b:kind": "x", "a:b:c": 3}


@pytest.mark.parametrize("key", ["a:b", "::x", "a:b:c..d"])
def test_a_malformed_override_in_the_file_is_a_fault_with_its_line(tmp_path: Path, key: str) -> None:
    [fault] = _faults(tmp_path, f'override:\n  "{key}": 1\n')
    assert fault.startswith(f".wippy.yaml:2: override.{key}: got '{key}', expected namespace:name:path")


@pytest.mark.parametrize("text", ["a:b", "a:b=1", "::x=1", "a:b:=1", "a:b:c..d=1"])
def test_a_malformed_override_is_a_fault(tmp_path: Path, text: str) -> None:
    [fault] = _faults(tmp_path, overrides=[text])
    assert fault.startswith(f"-o {text}: got ")


def test_placeholders_come_from_the_environment_and_from_vars(tmp_path: Path) -> None:
    config = _load(
        tmp_path,
        """
vars: { name: "${env:USER}-node", seconds: 7s, level: 1 }
relay: { node_name: "a-${name}" }
shutdown: { timeout: "${seconds}" }
logmanager: { min_level: "${level}" }
override: { "a:b:c": "$${env:KEPT} ${env:USER}" }
""",
        environ={"USER": "ana"},
    )
    assert config.node_name == "a-ana-node"
    assert config.shutdown_timeout == 7.0
    assert config.log_level == logging.WARNING
    assert config.overrides["a:b:c"] == "${env:KEPT} ana"


def test_unset_placeholders_are_faults_but_not_in_a_profile_that_is_not_used(tmp_path: Path) -> None:
    text = 'relay:\n  node_name: "${env:NODE}"\nlogger:\n  encoding: "${kind}"\nprofiles: {p: {x: "${env:SECRET}"}}\n'
    assert _faults(tmp_path, text) == [
        ".wippy.yaml:2: relay.node_name: got ${env:NODE}, expected the environment variable NODE to be set",
        ".wippy.yaml:4: logger.encoding: got ${kind}, expected 'kind' among vars (there are none)",
    ]


def test_all_faults_come_at_once_with_file_and_line(tmp_path: Path) -> None:
    text = """version: "2.0"
logger:
  encoding: xml
shutdown: { timeout: 30 }
disable:
  entries: legacy
registry: memory
"""
    assert _faults(tmp_path, text, settings=["logmanager.min_level=9"]) == [
        ".wippy.yaml:1: version: got '2.0', expected \"1.0\"",
        ".wippy.yaml:3: logger.encoding: got 'xml', expected 'console' or 'json'",
        '.wippy.yaml:4: shutdown.timeout: got 30, expected a duration such as "500ms", "30s" or "1h30m"',
        ".wippy.yaml:6: disable.entries: got 'legacy', expected a list of patterns such as legacy.**",
        ".wippy.yaml:7: registry: got 'memory', expected a map",
        "--set logmanager.min_level=9: logmanager.min_level: got 9, expected -1 (debug), 0 (info), 1 (warn) or 2 "
        "(error)",
    ]


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "a: !!python/name:os.system ''\n", "just text", "a: *b\n"])
def test_a_file_that_is_no_map_of_yaml_is_a_fault_with_its_line(tmp_path: Path, text: str) -> None:
    [fault] = _faults(tmp_path, text)
    assert fault.startswith(".wippy.yaml:")


def test_bytes_that_are_no_text_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / ".wippy.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no UTF-8"):
        load_config(tmp_path)


def test_unknown_keys_and_misspelled_sections_are_warnings_and_foreign_sections_are_silent(tmp_path: Path) -> None:
    config = _load(tmp_path, "lua: {x: 1}\nregstry: {}\nlogger: {encodin: json}\nlogmanager:\n  level: 3\n")
    assert [(warning.line, warning.field, warning.hint) for warning in config.warnings] == [
        (2, "regstry", "did you mean 'registry'?"),
        (3, "logger.encodin", "did you mean 'logger.encoding'?"),
        (5, "logmanager.level", "did you mean 'logmanager.min_level'?"),
    ]
