import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.kinds import CATALOG, LUA_KINDS, EntryKinds
from registry import ChangeSet, Entry, Fault, FaultsError, Problem, Registry, RegistryError, Severity

KINDS = EntryKinds()
A_DURATION = "a duration such as '500ms', '2s' or '1h30m'"


def check(kind: str, data: Any, meta: Any = None) -> Any:
    """Decode one entry that must be without fault."""
    checked = KINDS.check(Entry("app:e", kind, meta or {}, data), data)
    assert checked.problems == ()
    return checked.model


def problems(kind: str, data: Any, meta: Any = None) -> list[str]:
    """Return ``field: got X, expected Y; hint`` for each problem of one entry."""
    entry = Entry("app:e", kind, meta or {}, data)
    return sorted(told(problem) for problem in KINDS.check(entry, entry.data).problems)


def told(problem: Problem) -> str:
    path = ".".join(str(step) for step in problem.path)
    text = f"{path}: got {problem.got}, expected {problem.expected}"
    return f"{text}; {problem.hint}" if problem.hint else text


def lua(**data: Any) -> dict[str, Any]:
    return {"source": "return {}", **data}


def load(*entries: Entry) -> Registry:
    return Registry(entries, kinds=KINDS)


def refused(*entries: Entry) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        load(*entries)
    return [str(fault) for fault in caught.value.faults]


def test_every_kind_of_the_core_is_in_the_catalog_and_says_whether_it_runs() -> None:
    assert {name for name, kind in CATALOG.items() if kind.runs} == {
        *("function.python", "terminal.host", "pg.scope", "store.memory", "security.policy"),
        *("process.lua", "function.lua", "library.lua", "process.host", "process.service", "supervisor"),
        *("env.variable", "env.storage.memory", "env.storage.os", "env.storage.static", "env.storage.file"),
        *("env.storage.router", "registry.entry", "ns.definition", "ns.requirement", "ns.dependency"),
    }
    assert {name for name, kind in CATALOG.items() if not kind.runs} == {
        *("workflow.lua", "process.python", "temporal.client", "temporal.worker"),
    }
    assert {name for name, kind in CATALOG.items() if kind.passive} == {
        *("registry.entry", "ns.definition", "ns.requirement", "ns.dependency"),
    }
    assert sorted(LUA_KINDS) == ["function.lua", "library.lua", "process.lua", "workflow.lua"]


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_what_the_catalog_says_of_a_kind_agrees_with_its_model(name: str) -> None:
    kind = CATALOG[name]
    fields = {} if kind.model is None else kind.model.model_fields
    assert kind.service == ("lifecycle" in fields)
    assert kind.lua == ("modules" in fields)
    if kind.model is not None:
        schema = kind.model.model_json_schema()
        assert schema["additionalProperties"] is False
        assert json.dumps(schema)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("proces.lua", "kind: got 'proces.lua', expected an entry kind; did you mean 'process.lua'?"),
        ("http.router", "kind: got 'http.router', expected an entry kind"),
        ("db.sql.sqlite", "kind: got 'db.sql.sqlite', expected an entry kind"),
        ("module.lua", "kind: got 'module.lua', expected an entry kind; did you mean 'process.lua'?"),
    ],
)
def test_unknown_kinds_and_those_out_of_scope_are_refused_with_the_nearest_name(kind: str, message: str) -> None:
    found = problems(kind, {})
    assert len(found) == 1
    assert found[0].startswith(message.partition(";")[0])
    if kind == "proces.lua":
        assert found == [message]


def test_defaults_are_those_of_the_contract() -> None:
    lifecycle = check("process.host", {}).lifecycle
    assert lifecycle.model_dump() == {
        "auto_start": False,
        "startup": "required",
        "start_timeout": 10.0,
        "stop_timeout": 10.0,
        "stable_threshold": 5.0,
        "requires": [],
        "depends_on": [],
        "restart": {
            "initial_delay": 1.0,
            "max_delay": 90.0,
            "backoff_factor": 2.0,
            "jitter": 0.1,
            "max_attempts": 0,
        },
        "security": None,
    }
    host = check("process.host", {"host": {"workers": 0, "queue_size": 0}})
    assert host.host.model_dump() == {"workers": 0, "queue_size": 1024, "local_queue_size": 256, "max_processes": 0}
    assert host.mailbox.model_dump() == {"limit": 0, "overflow": "fail"}
    process = check("process.lua", lua(method=""))
    assert (process.method, process.modules, process.imports, process.mailbox) == ("main", [], {}, None)
    assert check("workflow.lua", lua()).method == "main"
    pool = check("function.lua", lua(method="f")).pool
    assert pool.model_dump() == {
        "type": None,
        "workers": 0,
        "size": 0,
        "buffer": 0,
        "max_size": 0,
        "warm_start": False,
    }
    tree = check("supervisor", {"children": ["a", {"id": "x:b", "restart": "transient"}]})
    assert (tree.strategy, tree.intensity, tree.period) == ("one_for_one", 1, 5.0)
    assert [(child.id, child.restart) for child in tree.children] == [("app:a", "permanent"), ("x:b", "transient")]
    client = check("temporal.client", {})
    assert (client.address, client.embedded, client.namespace, client.connection_timeout) == (
        None,
        True,
        "default",
        10.0,
    )
    assert client.journal.model_dump() == {
        "synchronous": "full",
        "retention": 2592000.0,
        "max_events": 50000,
        "max_payload": 2097152,
    }
    assert check("store.memory", {"max_size": 0}).max_size == 10000
    assert check("env.storage.file", {"file_path": "x"}).file_mode == 0o644
    scope = check("pg.scope", {})
    assert (scope.monitor_buffer, scope.action_queue_size, scope.action_queue_max_size) == (64, 256, 1024)


def test_zero_that_is_written_differs_from_a_missing_field_where_the_contract_says_so() -> None:
    lifecycle = check(
        "process.host",
        {
            "lifecycle": {
                "start_timeout": "0s",
                "stop_timeout": "0",
                "stable_threshold": "0s",
                "startup": "sometimes",
                "restart": {"jitter": 0, "initial_delay": "0s", "max_delay": "0s", "backoff_factor": 0},
            }
        },
    ).lifecycle
    assert (lifecycle.start_timeout, lifecycle.stop_timeout, lifecycle.stable_threshold) == (10.0, 10.0, 0.0)
    assert lifecycle.startup == "required"
    restart = lifecycle.restart
    assert (restart.jitter, restart.initial_delay, restart.max_delay, restart.backoff_factor) == (0.0, 1.0, 90.0, 1.0)
    assert check("process.host", {"lifecycle": {"startup": "optional"}}).lifecycle.startup == "optional"


def test_a_restart_block_knows_whether_delays_were_written() -> None:
    def written(restart: Any) -> bool:
        return bool(check("process.host", {"lifecycle": {"restart": restart}}).lifecycle.restart.delays_written)

    assert not written({})
    assert not written({"max_attempts": 3})
    assert written({"initial_delay": "1s"})
    assert written({"jitter": 0})
    assert not check("process.host", {}).lifecycle.restart.delays_written


def test_requires_and_depends_on_are_one_list_without_doubles() -> None:
    lifecycle = check("process.host", {"lifecycle": {"requires": ["a", "x:b"], "depends_on": ["c", "a"]}}).lifecycle
    assert lifecycle.needs == ("app:a", "x:b", "app:c")


def test_null_counts_as_missing() -> None:
    assert check("process.host", {"host": None, "lifecycle": {"restart": None, "requires": None}}).host.workers == 0
    assert problems("process.lua", {"source": None}) == ["source: got nothing, expected Lua text or 'file://…'"]


def test_bare_references_are_completed_with_the_namespace_of_the_entry() -> None:
    service = check("process.service", {"process": "p", "host": "h", "input": [1, {"a": 2}]})
    assert (service.process, service.host, service.input) == ("app:p", "app:h", [1, {"a": 2}])
    assert check("temporal.worker", {"client": "c", "task_queue": "q"}).client == "app:c"
    assert check("env.variable", {"storage": "s"}).storage == "app:s"


BAD: list[tuple[str, Any, list[str]]] = [
    ("process.lua", 3, [": got 3, expected a map of the fields of process.lua"]),
    ("process.lua", {"source": " "}, ["source: got an empty text, expected a text that is not empty"]),
    ("process.lua", {"source": 3}, ["source: got 3, expected Lua text or 'file://…'"]),
    ("process.lua", lua(modules="json"), ["modules: got 'json', expected a list"]),
    ("process.lua", lua(modules=[3]), ["modules.0: got 3, expected a text"]),
    (
        "process.lua",
        lua(modules=["tme"]),
        ["modules.0: got 'tme', expected the name of a module; did you mean 'time'?"],
    ),
    (
        "process.lua",
        lua(modules=["http"]),
        ["modules.0: got 'http', expected the name of a module; this runtime does not have it"],
    ),
    (
        "process.lua",
        lua(modules=["a:b"]),
        ["modules.0: got 'a:b', expected the name of a module; entries stand under 'imports'"],
    ),
    ("process.lua", lua(modules=[""]), ["modules.0: got an empty text, expected the name of a module"]),
    (
        "process.lua",
        lua(modules=["json", "json"]),
        ["modules.1: got 'json' a second time, expected each module and entry once"],
    ),
    (
        "process.lua",
        lua(modules=["json"], imports={"j": "json"}),
        ["imports.j: got 'json' a second time, expected each module and entry once"],
    ),
    (
        "process.lua",
        lua(imports={"a": "x:l", "b": "x:l"}),
        ["imports.b: got 'x:l' a second time, expected each module and entry once"],
    ),
    (
        "process.lua",
        lua(modules=["json"], imports={"json": "x:l"}),
        ["imports.json: got 'json', which is 'json' already, expected one meaning for each name"],
    ),
    ("process.lua", lua(imports={"": "x:l"}), ["imports: got an empty text, expected an alias that is not empty"]),
    (
        "process.lua",
        lua(imports={"a": ""}),
        ["imports.a: got an empty text, expected the id of a Lua entry or the name of a module"],
    ),
    ("process.lua", lua(imports={"a": "nope"}), ["imports.a: got 'nope', expected the name of a module"]),
    ("process.lua", lua(imports=["a"]), ["imports: got a list, expected a map"]),
    ("process.lua", lua(mailbox={"limit": -1}), ["mailbox.limit: got -1, expected an integer of at least 0"]),
    (
        "process.lua",
        lua(mailbox={"overflow": "drop"}),
        ["mailbox.overflow: got 'drop', expected 'fail', 'drop_oldest' or 'drop_newest'"],
    ),
    ("function.lua", lua(), ["method: got nothing, expected the name of a function that the script returns"]),
    (
        "function.lua",
        lua(method="f", pool={"type": "fast", "workers": -1, "size": "x"}),
        [
            "pool.size: got 'x', expected an integer",
            "pool.type: got 'fast', expected 'inline', 'lazy', 'static' or 'adaptive'",
            "pool.workers: got -1, expected an integer of at least 0",
        ],
    ),
    (
        "process.host",
        {"host": {"workers": "many", "max_processes": 1.5}},
        [
            "host.max_processes: got 1.5, expected an integer",
            "host.workers: got 'many', expected an integer",
        ],
    ),
    ("process.host", {"host": {"workers": True}}, ["host.workers: got true, expected an integer"]),
    ("process.host", {"host": 4}, ["host: got 4, expected a map"]),
    (
        "process.host",
        {"lifecycle": {"stop_timeout": "soon"}},
        [f"lifecycle.stop_timeout: got 'soon', expected {A_DURATION}"],
    ),
    ("process.host", {"lifecycle": {"stop_timeout": 5}}, [f"lifecycle.stop_timeout: got 5, expected {A_DURATION}"]),
    (
        "process.host",
        {"lifecycle": {"stable_threshold": "-1s"}},
        ["lifecycle.stable_threshold: got '-1s', expected a duration of at least 0"],
    ),
    ("process.host", {"lifecycle": {"auto_start": "yes"}}, ["lifecycle.auto_start: got 'yes', expected true or false"]),
    ("process.host", {"lifecycle": {"requires": "x"}}, ["lifecycle.requires: got 'x', expected a list"]),
    (
        "process.host",
        {"lifecycle": {"requires": [""]}},
        ["lifecycle.requires.0: got an empty text, expected the id of an entry"],
    ),
    (
        "process.host",
        {"lifecycle": {"restart": {"jitter": 2, "max_attempts": -1, "backoff_factor": -1}}},
        [
            "lifecycle.restart.backoff_factor: got -1, expected a number of at least 0",
            "lifecycle.restart.jitter: got 2, expected a number of at most 1",
            "lifecycle.restart.max_attempts: got -1, expected an integer of at least 0",
        ],
    ),
    (
        "process.service",
        {},
        [
            "host: got nothing, expected the id of a host",
            "process: got nothing, expected the id of an entry",
        ],
    ),
    (
        "process.service",
        {"process": "", "host": "node:control", "input": 3},
        [
            "host: got 'node:control', expected a host that runs processes",
            "input: got 3, expected a list",
            "process: got an empty text, expected the id of an entry",
        ],
    ),
    (
        "supervisor",
        {"strategy": "one_for_al", "intensity": -1, "period": "0s", "children": [3, {}, {"id": "a", "restart": "x"}]},
        [
            "children.0: got 3, expected the id of an entry, or {id, restart}",
            "children.1.id: got nothing, expected the id of an entry",
            "children.2.restart: got 'x', expected 'permanent', 'transient' or 'temporary'",
            "intensity: got -1, expected an integer of at least 0",
            "period: got '0s', expected a duration above 0",
            "strategy: got 'one_for_al', expected 'one_for_one', 'one_for_all' or 'rest_for_one'",
        ],
    ),
    ("terminal.host", {"hide_logs": 1}, ["hide_logs: got 1, expected true or false"]),
    ("pg.scope", {"max_groups": -1}, ["max_groups: got -1, expected an integer of at least 0"]),
    (
        "pg.scope",
        {"action_queue_max_size": 5},
        ["action_queue_max_size: got 5, expected at least action_queue_size (256)"],
    ),
    ("pg.scope", {"action_queue_size": 5000}, ["action_queue_size: got 5000, expected at most 1024"]),
    (
        "temporal.client",
        {"address": ""},
        ["address: got an empty text, expected 'host:port', 'sqlite:///relative/path' or 'sqlite:////absolute/path'"],
    ),
    (
        "temporal.client",
        {"address": "http://x"},
        ["address: got 'http://x', expected 'host:port', 'sqlite:///relative/path' or 'sqlite:////absolute/path'"],
    ),
    (
        "temporal.client",
        {"auth": {"type": "api_key"}},
        ["auth: got nothing, expected exactly one of api_key, api_key_env, api_key_file"],
    ),
    (
        "temporal.client",
        {"auth": {"type": "mtls", "cert_file": "a", "cert_pem": "b", "key_pem": "c"}},
        [
            "auth.cert_pem: got cert_file and cert_pem, expected exactly one of cert_file, cert_pem",
        ],
    ),
    (
        "temporal.client",
        {"tls": {"enabled": True, "insecure_skip_verify": True, "server_name": "x"}},
        [
            "tls.insecure_skip_verify: got true beside server_name, expected one of the two",
        ],
    ),
    (
        "temporal.client",
        {"health_check": {"interval": "0s"}},
        ["health_check.interval: got '0s', expected a duration above 0"],
    ),
    (
        "temporal.client",
        {"journal": {"synchronous": "fast", "max_events": 0}},
        [
            "journal.max_events: got 0, expected an integer of at least 1",
            "journal.synchronous: got 'fast', expected 'full' or 'normal'",
        ],
    ),
    (
        "temporal.worker",
        {"client": "c", "task_queue": ""},
        ["task_queue: got an empty text, expected a text that is not empty"],
    ),
    (
        "temporal.worker",
        {
            "client": "c",
            "task_queue": "q",
            "worker_options": {
                "max_concurrent_workflow_task_pollers": 1,
                "identiti": "x",
                "worker_activities_per_second": -1,
                "disable_workflow_worker": True,
                "local_activity_worker_only": True,
            },
        },
        [
            "worker_options.identiti: got an unknown field, expected a field of worker_options; "
            "did you mean 'identity'?",
            "worker_options.local_activity_worker_only: got true beside disable_workflow_worker, "
            "expected one of the two",
            "worker_options.max_concurrent_workflow_task_pollers: got 1, expected an integer of at least 2",
            "worker_options.worker_activities_per_second: got -1, expected a number of at least 0",
        ],
    ),
    (
        "env.variable",
        {"variable": "A-B", "default": 3},
        [
            "default: got 3, expected a text",
            "storage: got nothing, expected the id of an env.storage.* entry",
            "variable: got 'A-B', expected a name of letters, digits and '_'",
        ],
    ),
    ("env.storage.static", {"values": {"A": 1}}, ["values.A: got 1, expected a text"]),
    ("env.storage.file", {}, ["file_path: got nothing, expected the path of a file"]),
    ("env.storage.router", {"storages": []}, ["storages: got an empty list, expected at least one storage"]),
    ("function.python", {"source": "os:getcwd"}, ["source: got 'os:getcwd', expected 'python://package.module:name'"]),
    (
        "function.python",
        {"source": "python://a.b:c", "pool": {"workers": -1}},
        ["pool.workers: got -1, expected an integer of at least 0"],
    ),
    (
        "store.memory",
        {"max_size": -1, "cleanup_interval": 5},
        [
            f"cleanup_interval: got 5, expected {A_DURATION}",
            "max_size: got -1, expected an integer of at least 0",
        ],
    ),
    ("security.policy", {}, ["policy: got nothing, expected a map with actions, resources and effect"]),
    (
        "security.policy",
        {
            "policy": {
                "actions": "*",
                "resources": [3],
                "effect": "maybe",
                "conditions": [
                    {"field": "x", "operator": "eq", "value": 1, "value_from": "action"},
                ],
            }
        },
        [
            "policy.conditions.0.field: got 'x', expected 'actor.id', 'actor.meta.*', 'action', 'resource' or 'meta.*'",
            "policy.conditions.0.value_from: got value_from beside value, expected one of the two",
            "policy.effect: got 'maybe', expected 'allow' or 'deny'",
            "policy.resources.0: got 3, expected a text",
        ],
    ),
]


@pytest.mark.parametrize(("kind", "data", "messages"), BAD)
def test_bad_input_is_told_in_full_with_field_and_expectation(kind: str, data: Any, messages: list[str]) -> None:
    assert problems(kind, data) == messages


def test_bad_meta_is_told_and_other_meta_is_free() -> None:
    meta = {
        "depends_on": "x",
        "command": {"short": 3},
        "temporal": {"workflow": {"worker": ""}, "activity": 3},
        "default_host": 3,
        "options": [],
        "anything": {"else": 1},
    }
    assert problems("process.lua", lua(), meta) == [
        "meta.command.name: got nothing, expected the name of the command",
        "meta.command.short: got 3, expected one line of text",
        "meta.default_host: got 3, expected the id of a host",
        "meta.depends_on: got 'x', expected a list of entry ids",
        "meta.options: got a list, expected a map of options",
        "meta.temporal.activity: got 3, expected a map with a worker",
        "meta.temporal.workflow.worker: got an empty text, expected the id of a worker",
    ]
    assert check("registry.entry", [1, "any"], {"command": 3}) == [1, "any"]


def test_unknown_fields_are_warnings_at_any_depth_and_the_rest_is_decoded() -> None:
    entry = Entry("app:e", "process.host", {}, {"host": {"workrs": 2, "workers": 3}, "lifecycl": {}})
    checked = KINDS.check(entry, entry.data)
    assert checked.model.host.workers == 3
    assert {problem.severity for problem in checked.problems} == {Severity.WARNING}
    assert sorted(told(problem) for problem in checked.problems) == [
        "host.workrs: got an unknown field, expected a field of host; did you mean 'workers'?",
        "lifecycl: got an unknown field, expected a field of process.host; did you mean 'lifecycle'?",
    ]
    inner = {"children": [{"id": "a", "restrat": "x"}]}
    assert problems("supervisor", inner) == [
        "children.0.restrat: got an unknown field, expected a field of children.0; did you mean 'restart'?"
    ]


def test_strict_makes_unknown_fields_faults() -> None:
    entry = Entry("app:e", "process.lua", {}, lua(metod="run"))
    assert [str(warning) for warning in load(entry).warnings] == [
        "app:e.metod: got an unknown field, expected a field of process.lua; did you mean 'method'?"
    ]
    with pytest.raises(FaultsError, match="metod"):
        Registry([entry], kinds=KINDS, strict=True)


def library(name: str, **data: Any) -> Entry:
    return Entry(f"app:{name}", "library.lua", {}, lua(**data))


def test_imports_must_lead_to_lua_entries_and_end() -> None:
    assert refused(
        library("a", imports={"b": "app:b"}),
        library("b", imports={"c": "app:c", "d": "app:host"}),
        library("c", imports={"a": "app:a", "x": "app:lbi"}),
        library("lib", imports={"self": "app:lib"}),
        Entry("app:host", "process.host"),
    ) == [
        "app:a.imports.b: got an import cycle: app:a -> app:b -> app:c -> app:a, expected imports that end",
        "app:b.imports.d: got 'app:host' of kind process.host, expected the id of a Lua entry",
        "app:c.imports.x: got 'app:lbi', expected the id of a Lua entry; did you mean 'app:lib'?",
        "app:lib.imports.self: got an import cycle: app:lib -> app:lib, expected imports that end",
    ]
    assert (
        len(
            load(library("a", imports={"f": "app:f", "j": "json"}), Entry("app:f", "function.lua", {}, lua(method="m")))
        )
        == 2
    )


def test_a_workflow_may_use_only_modules_that_replay_even_through_libraries() -> None:
    flow = Entry("app:w", "workflow.lua", {}, lua(modules=["time", "registry", "logger"], imports={"l": "app:l"}))
    messages = refused(flow, library("l", imports={"m": "app:m"}), library("m", modules=["json", "env"]))
    assert messages == [
        "app:w.imports.l: got 'app:m', whose module 'env' does not have any allowed class, "
        "expected modules that a workflow may use",
        "app:w.modules.1: got module 'registry', which does not have any allowed class, "
        "expected modules that a workflow may use",
    ]


def service(name: str, **lifecycle: Any) -> Entry:
    return Entry(f"app:{name}", "process.service", {}, {"process": "p", "host": "h", "lifecycle": lifecycle})


def tree(name: str, *children: Any) -> Entry:
    return Entry(f"app:{name}", "supervisor", {}, {"children": list(children)})


def test_children_of_supervisors_form_trees() -> None:
    assert refused(
        tree("t1", "s1", "s1", {"id": "app:s1"}, "nobody", "h"),
        tree("t2", "s1", "t3"),
        tree("t3", {"id": "t2"}),
        tree("t4", "t4"),
        service("s1"),
        Entry("app:h", "process.host"),
    ) == [
        "app:t1.children.1: got 'app:s1' a second time, expected each child once",
        "app:t1.children.2.id: got 'app:s1' a second time, expected each child once",
        "app:t1.children.3: got 'app:nobody', expected the id of a process.service or supervisor",
        "app:t1.children.4: got 'app:h' of kind process.host, expected the id of a process.service or supervisor",
        "app:t2.children.0: got 'app:s1', which is a child of app:t1, expected one parent for each child",
        "app:t3.children.0.id: got a supervisor above itself: app:t2 -> app:t3 -> app:t2, expected a tree",
        "app:t4.children.0: got a supervisor above itself: app:t4 -> app:t4, expected a tree",
    ]
    assert len(load(tree("t1", "s1", "t2"), tree("t2", "s2"), service("s1"), service("s2"))) == 4


def test_a_child_with_limits_of_its_own_is_a_fault_but_delays_are_fine() -> None:
    assert refused(tree("t", "s"), service("s", stable_threshold="1s", restart={"max_attempts": 0})) == [
        "app:s.lifecycle.restart.max_attempts: got a limit of its own in a child of app:t, "
        "expected none, since intensity and period of app:t hold",
        "app:s.lifecycle.stable_threshold: got a limit of its own in a child of app:t, "
        "expected none, since intensity and period of app:t hold",
    ]
    assert load(tree("t", "s"), service("s", restart={"initial_delay": "1s"}))


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (library("x", modules=["http"]), "NotFound"),
        (library("x", modules=["json", "json"]), "Conflict"),
        (library("x", imports={"a": "app:nobody"}), "NotFound"),
        (library("x", imports={"a": "app:x"}), "Invalid"),
        (Entry("app:x", "workflow.lua", {}, lua(modules=["env"])), "PermissionDenied"),
        (Entry("app:x", "strange", {}, {}), "Invalid"),
        (Entry("app:x", "process.host", {}, {"host": {"workers": -1}}), "Invalid"),
    ],
)
def test_an_apply_reports_the_kind_of_error_that_the_contract_names(entry: Entry, kind: str) -> None:
    registry = load(library("other"))
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(entry))
    assert caught.value.kind == kind
    assert caught.value.details is not None
    assert (caught.value.details["id"], caught.value.details["op"]) == ("app:x", "entry.create")


def test_an_imported_entry_goes_only_together_with_its_importers() -> None:
    registry = load(library("lib"), library("user", imports={"l": "app:lib"}))
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().delete("app:lib"))
    assert caught.value.kind == "Conflict"
    assert str(caught.value) == (
        "app:lib: got a delete while app:user imports it (imports.l), "
        "expected a change set in which its importers go too"
    )
    registry.apply(ChangeSet().delete("app:lib").delete("app:user"))
    assert len(registry) == 0


def test_entries_and_what_they_import_may_come_in_any_order_in_one_change_set() -> None:
    registry = load()
    registry.apply(ChangeSet().create(library("a", imports={"b": "app:b"})).create(library("b")))
    assert registry.order() == ["app:b", "app:a"]


def test_a_value_from_the_environment_never_shows_in_a_fault() -> None:
    entries = [
        Entry("app:os", "env.storage.os"),
        Entry("app:v", "env.variable", {}, {"variable": "SECRET", "storage": "os"}),
        Entry("app:h", "process.host", {}, {"host": {"workers": "${env:SECRET}"}}),
        Entry("app:n", "process.host", {}, {"host": {"workers": "${env:COUNT|2}"}}),
    ]
    with pytest.raises(FaultsError) as caught:
        Registry(entries, kinds=KINDS, os_environ={"SECRET": "hush"})
    assert str(caught.value) == "app:h.host.workers: got another value from the environment, expected an integer"
    assert Registry([*entries[:2], entries[3]], kinds=KINDS).decode("app:n").host.workers == 2


def test_an_app_of_three_hundred_entries_loads_with_every_place(tmp_path: Path) -> None:
    body = "".join(
        f"  - {{name: p{n}, kind: process.lua, source: 'file://p{n}.lua', imports: {{l: 'big:lib'}}}}\n"
        f"  - {{name: s{n}, kind: process.service, process: p{n}, host: h, lifecycle: {{auto_start: true}}}}\n"
        for n in range(149)
    )
    for n in range(149):
        (tmp_path / f"p{n}.lua").write_text("return {}\n")
    head = (
        "namespace: big\nentries:\n  - {name: h, kind: process.host}\n  - {name: lib, kind: library.lua, source: x}\n"
    )
    (tmp_path / "_index.yaml").write_text(head + body)
    registry = Registry.load(tmp_path, kinds=KINDS)
    assert len(registry) == 300
    assert registry.warnings == ()
    assert registry.place_of("big:s148", "lifecycle.auto_start") == (f"{tmp_path}/_index.yaml", 302)
    assert registry.source_of("big:p148").name == "p148.lua"
    order = registry.order()
    assert order.index("big:lib") < order.index("big:p0") < order.index("big:s0")


def test_faults_of_a_folder_name_file_line_entry_and_field_and_come_with_those_of_broken_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "namespace: app\nentries:\n  - name: h\n    kind: process.host\n    host:\n      workers: x\n"
    )
    (tmp_path / "b.yaml").write_text("namespace: app\nentries: [\n")
    with pytest.raises(FaultsError) as caught:
        Registry.load(tmp_path, kinds=KINDS)
    assert [str(fault).removeprefix(f"{tmp_path}/") for fault in caught.value.faults] == [
        "a.yaml:6: app:h.host.workers: got 'x', expected an integer",
        "b.yaml:3: invalid YAML: did not find expected node content",
    ]


def test_an_override_is_named_where_its_value_is_at_fault(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("namespace: app\nentries:\n  - {name: h, kind: process.host}\n")
    with pytest.raises(FaultsError) as caught:
        Registry.load(tmp_path, kinds=KINDS, overrides={"app:h:host.workers": "many"})
    assert str(caught.value) == ("override app:h:host.workers: app:h.host.workers: got 'many', expected an integer")


def test_only_the_models_of_the_kinds_in_use_are_imported() -> None:
    program = (
        "import sys; from actors.kinds import EntryKinds; from registry import Entry, Registry; "
        "Registry([Entry('a:b', 'process.lua', {}, {'source': 'x'})], kinds=EntryKinds()); "
        "print(sorted(m for m in sys.modules if m.startswith('actors.kinds.')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=os.getcwd()
    )
    assert "actors.kinds.lua" in result.stdout
    assert "actors.kinds.temporal" not in result.stdout


KEYS = st.sampled_from(
    sorted(
        {
            *(field for kind in CATALOG.values() if kind.model for field in kind.model.model_fields),
            *("workers", "restart", "jitter", "requires", "type", "limit", "actions", "conditions", "id", "x", ""),
        }
    )
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats()
    | st.sampled_from(["", " ", "x", "app:e", "app:f", "json", "1s", "-1s", "${env:X}", "${env:X|1}", "file://x", "*"])
)
JUNK = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["app:e", "app:f", "app:g"]),
        st.sampled_from(sorted(CATALOG)),
        st.dictionaries(st.sampled_from(["command", "temporal", "depends_on", "options"]), JUNK, max_size=2),
        JUNK.filter(lambda value: value is not None),
    ),
    max_size=3,
    unique_by=lambda entry: entry.id,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ENTRIES)
def test_whatever_entries_hold_ends_in_a_registry_or_in_faults(entries: list[Entry]) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        registry = load(*entries)
    except FaultsError as error:
        faults = error.faults
    else:
        assert sorted(registry.order()) == sorted(entry.id for entry in entries)
    assert all(fault.entry and fault.got for fault in faults)
