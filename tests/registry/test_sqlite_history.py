"""Versions in SQLite: what is kept across restarts, and what a file that is no history gives."""

import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import ChangeSet, Registry, RegistryError, load_folder
from registry.sqlite_history import SqliteHistory


def entry(name: str, value: Any = 1) -> dict[str, Any]:
    return {"id": f"a:{name}", "kind": "k", "data": {"v": value}}


def values(registry: Registry) -> dict[str, Any]:
    return {one.name: one.data["v"] for one in registry.snapshot()}


def test_a_registry_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with SqliteHistory(path) as history:
        registry = Registry([entry("x"), entry("y")], history=history)
        registry.apply(ChangeSet().update(entry("x", 2)).create(entry("z", 3)))
        registry.apply(ChangeSet().delete("a:y"))
    with SqliteHistory(path) as history:
        registry = Registry([entry("x"), entry("y")], history=history)
        assert (registry.version, values(registry)) == (2, {"x": 2, "z": 3})
        assert [version.id for version in registry.history] == [0, 1, 2]
        assert values_at(registry, 0) == {"x": 1, "y": 1}
        registry.rollback()
        registry.apply(ChangeSet().delete("a:z"))
        assert registry.version == 3
    with SqliteHistory(path) as history:
        registry = Registry([entry("x"), entry("y")], history=history)
        assert (registry.version, values(registry)) == (3, {"x": 2, "y": 1})
        assert registry.get_version(3).previous == 1
        registry.apply_version(2)
    with SqliteHistory(path) as history:
        assert history.head() == 2
        assert history.next_id() == 4


def values_at(registry: Registry, version: int) -> dict[str, Any]:
    return {one.name: one.data["v"] for one in registry.snapshot_at(version)}


def test_what_is_kept_is_laid_over_a_changed_baseline(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with SqliteHistory(path) as history:
        Registry([entry("x"), entry("y")], history=history).apply(ChangeSet().update(entry("x", 2)).delete("a:y"))
    with SqliteHistory(path) as history:
        assert values(Registry([entry("x", 9), entry("new", 9)], history=history)) == {"x": 2, "new": 9}


def test_a_refused_change_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with SqliteHistory(path) as history:
        registry = Registry([entry("x")], history=history)
        with pytest.raises(RegistryError):
            registry.apply(ChangeSet().create(entry("x")))
    with SqliteHistory(path) as history:
        assert (history.head(), len(history.versions())) == (0, 1)


def test_a_version_that_cannot_be_written_does_not_count(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path / "registry.db")
    registry = Registry([entry("x")], history=history)
    history.close()
    with pytest.raises(RegistryError, match=r"registry\.db") as caught:
        registry.apply(ChangeSet().update(entry("x", 2)))
    assert caught.value.kind == "Unavailable"
    assert (registry.version, values(registry), history.head()) == (0, {"x": 1}, 0)


def test_the_file_is_for_its_owner_alone_and_for_one_program(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with SqliteHistory(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(RegistryError, match="another program") as caught:
            SqliteHistory(path)
        assert (caught.value.kind, caught.value.retryable) == ("Unavailable", True)
    SqliteHistory(path).close()


def test_an_unknown_version_is_not_found(tmp_path: Path) -> None:
    with SqliteHistory(tmp_path / "registry.db") as history:
        for act in (history.get, history.move):
            with pytest.raises(RegistryError) as caught:
                act(7)
            assert caught.value.kind == "NotFound"


def test_a_file_that_is_no_history_is_told(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(RegistryError, match="is no registry history") as caught:
        SqliteHistory(path)
    assert caught.value.kind == "Internal"
    with pytest.raises(RegistryError, match="cannot be used") as caught:
        SqliteHistory(tmp_path / "missing" / "registry.db")
    assert caught.value.kind == "Unavailable"


def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RegistryError, match="newer release"):
        SqliteHistory(path)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE versions SET operations = 'x' WHERE id = 1",
        "UPDATE versions SET operations = '[{}]' WHERE id = 1",
        "UPDATE versions SET previous = 5 WHERE id = 1",
        "UPDATE head SET id = 5",
    ],
)
def test_a_damaged_history_is_told(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "registry.db"
    with SqliteHistory(path) as history:
        Registry([entry("x")], history=history).apply(ChangeSet().update(entry("x", 2)))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(RegistryError, match="is damaged"):
        SqliteHistory(path)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.booleans(), inner),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(plain)
def test_every_value_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.mktemp("history") / "registry.db"
    with SqliteHistory(path) as history:
        Registry([entry("x")], history=history).apply(ChangeSet().update(entry("x", {"inner": value, "$map": value})))
    with SqliteHistory(path) as history:
        assert Registry([entry("x")], history=history).get("a:x").data["v"] == {"inner": value, "$map": value}


def test_halves_of_surrogate_pairs_come_back(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with SqliteHistory(path) as history:
        Registry([entry("x")], history=history).apply(ChangeSet().update(entry("x", "\udcff ü")))
    with SqliteHistory(path) as history:
        assert Registry([entry("x")], history=history).get("a:x").data["v"] == "\udcff ü"


def test_operations_can_be_read_by_people(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with SqliteHistory(path) as history:
        Registry([entry("x")], history=history).apply(ChangeSet().update(entry("x", "ü")))
    connection = sqlite3.connect(path)
    operations = connection.execute("SELECT operations FROM versions").fetchone()[0]
    connection.close()
    assert "ü" in operations
    assert json.loads(operations)[0]["op"] == "entry.update"


def test_files_that_changed_while_nothing_ran_count_more_than_what_was_taken_over_from_them(tmp_path: Path) -> None:
    def write(value: int, *more: str) -> None:
        (tmp_path / "app").mkdir(exist_ok=True)
        lines = [f"  - {{name: x, kind: k, v: {value}}}", "  - {name: y, kind: k, v: 1}", *more]
        (tmp_path / "app" / "_index.yaml").write_text("namespace: a\nentries:\n" + "\n".join(lines))

    write(1, "  - {name: gone, kind: k, v: 1}")
    with SqliteHistory(tmp_path / "registry.db") as history:
        registry = Registry.load(tmp_path / "app", history=history)
        registry.apply(ChangeSet().update(entry("y", "run")))
        write(2)
        registry.adopt(load_folder(tmp_path / "app"))
        assert values(registry) == {"x": 2, "y": "run"}
        assert values_at(registry, 2) == {"x": 2, "y": "run"}
        assert values_at(registry, 1) == {"x": 1, "y": "run", "gone": 1}
    write(3, "  - {name: gone, kind: k, v: 3}")
    with SqliteHistory(tmp_path / "registry.db") as history:
        registry = Registry.load(tmp_path / "app", history=history)
        assert (registry.version, values(registry)) == (2, {"x": 3, "y": "run", "gone": 3})
        assert [version.from_files for version in registry.history] == [False, False, True]
