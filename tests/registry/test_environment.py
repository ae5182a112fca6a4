from pathlib import Path
from typing import Any

import pytest

from registry import ChangeSet, Entry, Environment, FaultsError, Registry, RegistryError
from registry.environment import check_environment
from registry.placeholders import names


def entry(entry_id: str, kind: str, **data: Any) -> Entry:
    return Entry(entry_id, f"env.{kind}", {}, data)


def environment(*entries: Entry, **os_environ: str) -> Environment:
    base = (
        entry("e:os", "storage.os"),
        entry("e:mem", "storage.memory"),
        entry("e:fix", "storage.static", values={"FIXED": "f", "EMPTY": "", "e:by_id": "i"}),
        entry("e:fixed", "variable", variable="FIXED", storage="fix"),
        entry("e:empty", "variable", variable="EMPTY", storage="fix", default="d"),
        entry("e:by_id", "variable", storage="e:fix"),
        entry("e:unset", "variable", variable="UNSET", storage="mem"),
        entry("e:home", "variable", variable="HOME", storage="os"),
        entry("e:locked", "variable", variable="LOCKED", storage="mem", readonly=True, default="x"),
    )
    return Environment([*base, *entries], None, os_environ)


def kind(error: pytest.ExceptionInfo[RegistryError]) -> str:
    return error.value.kind


def test_a_variable_is_found_by_public_name_by_own_namespace_and_by_id() -> None:
    env = environment(HOME="/h")
    assert env.get("FIXED") == env.get("e:fixed") == env.get("fixed", "e") == "f"
    assert env.get("e:by_id") == "i"
    assert env.get("HOME") == "/h"
    assert env.all() == {"EMPTY": "d", "FIXED": "f", "HOME": "/h", "LOCKED": "x"}


def test_an_empty_value_counts_as_not_set() -> None:
    env = environment()
    assert env.get("EMPTY") == "d"
    for name, wanted in (("UNSET", "NotFound"), ("NOBODY", "NotFound"), ("e:fix", "NotFound"), ("", "Invalid")):
        with pytest.raises(RegistryError) as caught:
            env.get(name)
        assert kind(caught) == wanted


def test_only_memory_and_files_can_be_written() -> None:
    env = environment()
    env.set("UNSET", "v")
    assert env.get("UNSET") == "v"
    for name in ("LOCKED", "HOME", "FIXED"):
        with pytest.raises(RegistryError) as caught:
            env.set(name, "v")
        assert kind(caught) == "PermissionDenied"
    with pytest.raises(RegistryError) as caught:
        env.set("NOBODY", "v")
    assert kind(caught) == "NotFound"


def test_a_router_reads_the_first_storage_that_has_the_key_and_writes_to_the_first() -> None:
    env = environment(
        entry("e:r", "storage.router", storages=["mem", "e:fix", "e:os"]),
        entry("e:ro", "storage.router", storages=["e:fix", "e:mem"]),
        entry("e:routed", "variable", variable="e_routed", storage="r", default="d"),
        entry("e:fixed_too", "variable", variable="ROUTED", storage="ro"),
    )
    assert env.get("e_routed") == "d"
    env.set("e_routed", "v")
    assert env.get("e_routed") == "v"
    with pytest.raises(RegistryError) as caught:
        env.set("ROUTED", "v")
    assert kind(caught) == "PermissionDenied"


def test_a_router_that_leads_to_itself_is_told_and_does_not_hang() -> None:
    env = environment(
        entry("e:r", "storage.router", storages=["r2"]),
        entry("e:r2", "storage.router", storages=["r"]),
        entry("e:v", "variable", variable="V", storage="r"),
    )
    for call in (lambda: env.get("V"), lambda: env.set("V", "x")):
        with pytest.raises(RegistryError, match="routes to itself"):
            call()


def test_a_file_storage_keeps_comments_and_is_made_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "env"
    env = environment(
        entry("e:file", "storage.file", file_path=str(path), auto_create=True, file_mode=0o600),
        entry("e:gone", "storage.file", file_path=str(tmp_path / "gone")),
        entry("e:a", "variable", variable="A", storage="file"),
        entry("e:b", "variable", variable="B", storage="file"),
        entry("e:c", "variable", variable="C", storage="gone", default="c"),
    )
    env.set("A", "1")
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("# comment\nA = 1\n#B=no\nB=x=y\nC=3\n")
    assert (env.get("A"), env.get("B")) == ("1", "x=y")
    env.set("A", "2")
    assert path.read_text() == "# comment\nA=2\n#B=no\nB=x=y\nC=3\n"
    assert env.get("C") == "c"
    for name, value, wanted in (("C", "v", "NotFound"), ("A", "two\nlines", "Invalid")):
        with pytest.raises(RegistryError) as caught:
            env.set(name, value)
        assert kind(caught) == wanted


def resolve(env: Environment, data: Any) -> Any:
    found = env.resolve(Entry("e:x", "k", {}, data))
    assert not found.problems, found.problems
    return found.data


def test_placeholders_are_resolved_by_name_by_id_and_with_defaults() -> None:
    env = environment()
    assert resolve(env, {"a": ["${env:FIXED}", "x-${env:fixed}-${env:e:by_id}"]}) == {"a": ["f", "x-f-i"]}
    assert resolve(env, {"a": "${env:NOBODY|d e}", "b": "${NOBODY|d}", "c": "${env:NOBODY|}"}) == {
        "a": "d e",
        "b": "d",
        "c": "",
    }
    assert resolve(env, {"a": "${env:EMPTY|inline}"}) == {"a": "d"}


def test_what_is_no_placeholder_is_left_alone_and_two_dollars_escape() -> None:
    env = environment()
    same = {"a": "${NOBODY}", "b": "${lower|x}", "c": "$5 {x} ${"}
    assert resolve(env, same) == same
    assert resolve(env, {"a": "$${env:FIXED}", "b": "$${"}) == {"a": "${env:FIXED}", "b": "${"}


def test_a_whole_placeholder_takes_the_type_of_its_default() -> None:
    env = environment(
        entry("e:n", "variable", variable="N", storage="mem", default="8"),
        entry("e:t", "variable", variable="T", storage="mem", default="TRUE"),
    )
    data = {
        "i": "${env:N|1}",
        "f": "${env:N|1.0}",
        "b": "${T|false}",
        "s": "${env:N|x}",
        "raw": "${env:N}",
        "d": "${X|3}",
    }
    assert resolve(env, data) == {"i": 8, "f": 8.0, "b": True, "s": "8", "raw": "8", "d": 3}
    assert resolve(env, {"mixed": "a${env:N|1}"}) == {"mixed": "a8"}


def test_a_placeholder_without_value_or_of_another_type_is_a_problem() -> None:
    env = environment(entry("e:n", "variable", variable="N", storage="mem", default="many"))
    found = env.resolve(Entry("e:x", "k", {}, {"a": {"b": "${env:NOBODY}"}, "c": ["${env:N|4}"]}))
    assert [(problem.path, problem.got) for problem in found.problems] == [
        (("a", "b"), "no value for ${env:NOBODY}"),
        (("c", 0), "a value of ${env:N|4} that is none"),
    ]


def test_an_env_sibling_fills_its_field_when_the_variable_has_a_value() -> None:
    env = environment()
    assert resolve(env, {"auth": {"api_key_env": "FIXED", "api_key": "inline"}}) == {"auth": {"api_key": "f"}}
    unregistered = {"api_key_env": "NOBODY"}
    assert resolve(env, unregistered) == unregistered
    kept = {"key_pem_env": "UNSET", "key_pem": "inline"}
    assert resolve(env, kept) == kept
    free = {"other_env": "FIXED"}
    assert resolve(env, free) == free


def test_placeholders_in_env_entries_work_and_cycles_are_told() -> None:
    env = environment(
        entry("e:v", "variable", variable="V", storage="mem", default="<${env:FIXED}>"),
        entry("e:l1", "variable", variable="L1", storage="mem", default="${env:L2}"),
        entry("e:l2", "variable", variable="L2", storage="mem", default="${env:L1}"),
    )
    assert env.get("V") == "<f>"
    with pytest.raises(RegistryError) as caught:
        env.get("L1")
    assert kind(caught) == "Invalid"


def test_names_lists_the_variables_of_placeholders() -> None:
    assert list(names({"a": ["${env:A} ${B|x} $${C|x} ${D}"], "b": "${env:ns:e|1}"})) == ["A", "B", "ns:e"]


def test_a_name_taken_twice_and_a_missing_storage_are_found() -> None:
    entries = [
        entry("e:a", "variable", variable="X", storage="s"),
        entry("e:b", "variable", variable="X", storage="sss"),
        entry("e:r", "storage.router", storages=["s", "e:a"]),
        entry("e:s", "storage.memory"),
    ]
    found = list(check_environment({item.id: item for item in entries}))
    assert [(entry_id, problem.path, problem.kind) for entry_id, problem in found] == [
        ("e:b", ("variable",), "Conflict"),
        ("e:b", ("storage",), "NotFound"),
        ("e:r", ("storages", 1), "Invalid"),
    ]


def test_the_registry_never_stores_what_a_placeholder_stands_for() -> None:
    registry = Registry(
        [
            entry("e:os", "storage.os"),
            entry("e:s", "variable", variable="SECRET", storage="os"),
            Entry("e:x", "k", {"m": "${env:SECRET}"}, {"key": "${env:SECRET}"}),
        ],
        os_environ={"SECRET": "hush"},
    )
    assert registry.get("e:x").data == {"key": "${env:SECRET}"}
    assert registry.decode("e:x") == {"key": "hush"}
    assert "e:s" in registry.dependencies("e:x")
    assert registry.environment.get("SECRET") == "hush"


def test_memory_outlives_changes_of_other_entries_but_not_of_its_storage() -> None:
    registry = Registry([entry("e:m", "storage.memory"), entry("e:v", "variable", variable="V", storage="m")])
    registry.environment.set("V", "kept")
    registry.apply(ChangeSet().create(entry("e:w", "variable", variable="W", storage="m", default="x")))
    assert registry.environment.get("V") == "kept"
    registry.apply(ChangeSet().delete("e:m").delete("e:v").delete("e:w"))
    registry.rollback()
    with pytest.raises(RegistryError, match="no value"):
        registry.environment.get("V")


def test_an_entry_whose_variable_has_no_value_is_refused_without_showing_others() -> None:
    with pytest.raises(FaultsError) as caught:
        Registry([Entry("e:x", "k", {}, {"a": "${env:NOBODY}"})])
    assert str(caught.value) == (
        "e:x.a: got no value for ${env:NOBODY}, expected a variable that has a value, or a default after '|'"
    )


def test_env_entries_with_wrong_fields_are_told_and_break_nothing() -> None:
    env = environment(
        Entry("e:s1", "env.storage.static", {}, {"values": [1]}),
        Entry("e:s2", "env.storage.file", {}, {"file_path": 0}),
        Entry("e:s3", "env.storage.router", {}, {"storages": 5}),
        Entry("e:s4", "env.storage.file", {}, {"file_path": "a\0b"}),
        *(entry(f"e:v{n}", "variable", variable=f"V{n}", storage=f"s{n}", default="d") for n in (1, 2, 3, 4)),
        Entry("e:v5", "env.variable", {}, [1]),
    )
    assert [env.get(f"V{n}") for n in (1, 2, 3)] == ["d", "d", "d"]
    with pytest.raises(RegistryError, match="cannot read"):
        env.get("V4")
    for call in (lambda: env.get("e:v5"), lambda: env.set("e:v5", "x"), lambda: env.set("V3", "x")):
        with pytest.raises(RegistryError):
            call()
