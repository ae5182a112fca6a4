"""Loading an app folder with its configuration, keeping its history, and following its files."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import ProcessError, Runtime
from actors.clock import VirtualClock
from actors.config import ConfigError
from actors.loading import AppFolder, Follower
from registry import ChangeSet, FaultsError, Registry, RegistryError

ENTRIES = """
namespace: app
entries:
  - name: here
    kind: process.host
    host: {{ workers: 1 }}
    lifecycle: {{ auto_start: true }}
  - name: setting
    kind: registry.entry
    value: {value}
  - name: main
    kind: process.lua
    source: file://main.lua
"""


def write(folder: Path, *, value: object = 1, source: str = "return {main = function() return 1 end}") -> None:
    (folder / "_index.yaml").write_text(ENTRIES.format(value=value))
    (folder / "main.lua").write_text(source)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "app"
    path.mkdir()
    write(path)
    return path


def load(folder: Path, **options: object) -> Runtime:
    return Runtime.load(folder, state=folder.parent / "state", clock=VirtualClock(), **options)  # type: ignore[arg-type]


def test_load_reads_the_configuration_of_the_folder(folder: Path) -> None:
    (folder / ".wippy.yaml").write_text(
        """
        relay: { node_name: north }
        override: { "app:setting:value": 5, "app:setting:other": file }
        disable: { entries: ["app:main"] }
        shutdown: { timeout: 3s }
        """
    )
    rt = load(folder, overrides={"app:setting:other": "given"}, disable={"entries": ["app:here"]})
    assert rt.registry.get("app:setting").data == {"value": 5, "other": "given"}
    assert ("app:main" in rt.registry, "app:here" in rt.registry) == (False, False)
    assert rt._shutdown_timeout == 3.0
    with rt:
        assert rt.mailbox().pid.startswith("{north@")


def test_what_the_caller_says_counts_more_than_the_configuration(folder: Path) -> None:
    (folder / ".wippy.yaml").write_text("relay: { node_name: north }\nshutdown: { timeout: 3s }\n")
    rt = load(folder, node="south", shutdown_timeout=1.0)
    assert (rt._board.node, rt._shutdown_timeout) == ("south", 1.0)


def test_a_broken_configuration_is_told(folder: Path) -> None:
    (folder / ".wippy.yaml").write_text("shutdown: { timeout: soon }\n")
    with pytest.raises(ConfigError, match=r"shutdown\.timeout"):
        load(folder)


def test_history_in_sqlite_lasts(folder: Path) -> None:
    (folder / ".wippy.yaml").write_text("registry: { history_type: sqlite }\n")
    with load(folder) as rt:
        rt.registry.apply(ChangeSet().update({"id": "app:setting", "data": {"value": "kept"}}))
        with pytest.raises(RegistryError, match="another program"):
            load(folder)
    assert (folder.parent / "state" / "registry.db").is_file()
    with load(folder) as rt:
        assert rt.registry.get("app:setting").data == {"value": "kept"}
        assert rt.registry.version == 1
        rt.registry.rollback()
        assert rt.registry.get("app:setting").data == {"value": 1}


def test_history_may_have_a_path_of_its_own_or_be_none(folder: Path) -> None:
    (folder / ".wippy.yaml").write_text("registry: { history_type: sqlite, history_path: kept/here.db }\n")
    with load(folder) as rt:
        rt.registry.apply(ChangeSet().delete("app:setting"))
    assert (folder / "kept" / "here.db").is_file()
    (folder / ".wippy.yaml").write_text("registry: { enable_history: false }\n")
    with load(folder) as rt:
        rt.registry.apply(ChangeSet().delete("app:setting"))
        assert [version.id for version in rt.registry.history] == [1]


def test_a_folder_with_faults_gives_its_history_back(folder: Path) -> None:
    (folder / ".wippy.yaml").write_text("registry: { history_type: sqlite }\n")
    write(folder, value="'${env:NOBODY}'")
    for _ in range(2):
        with pytest.raises(FaultsError, match="NOBODY"):
            load(folder)


def test_reload_applies_what_has_changed_in_the_files(folder: Path) -> None:
    with load(folder) as rt:
        assert rt.exec("app:main", "app:here") == 1
        write(folder, source="return {main = function() return 2 end}")
        version = rt.reload()
        assert version is not None
        assert [op.id for op in version.operations] == ["app:main"]
        assert rt.exec("app:main", "app:here") == 2
        assert rt.reload() is None


def test_reload_of_a_broken_folder_changes_nothing(folder: Path) -> None:
    with load(folder) as rt:
        write(folder, value=2, source="return {main = function( return 2 end}")
        with pytest.raises(FaultsError, match=r"main\.lua:1"):
            rt.reload()
        assert rt.exec("app:main", "app:here") == 1
        assert rt.registry.get("app:setting").data == {"value": 1}


def test_only_a_loaded_runtime_can_be_reloaded() -> None:
    with Runtime(Registry(), clock=VirtualClock()) as rt, pytest.raises(ProcessError) as caught:
        rt.reload()
    assert caught.value.kind == "Invalid"


def test_a_registry_follows_its_files_and_survives_broken_ones(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    app = AppFolder.find(folder)
    registry = app.registry()
    seen: list[object] = []

    def changes() -> Iterator[None]:
        write(folder, value=2)
        yield
        seen.append(registry.get("app:setting").data["value"])
        (folder / "_index.yaml").write_text("namespace: app\nentries:\n  - {name: x}\n  - {kind: y}\n")
        yield
        seen.append(registry.get("app:setting").data["value"])
        (folder / "_index.yaml").write_bytes(b"\xff\xfe")
        yield
        write(folder, value=3)
        yield
        seen.append(registry.get("app:setting").data["value"])
        yield

    follower = Follower(registry, app, changes=changes())
    follower.start()
    follower.join()
    assert seen == [2, 2, 3]
    assert registry.version == 2
    refused = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(refused) == 2
    assert "_index.yaml:3" in refused[0]
    assert "_index.yaml:4" in refused[0]
    assert "version 2 from the files: update app:setting" in caplog.text


def test_watchfiles_tells_the_follower_of_changes_until_it_is_stopped(folder: Path) -> None:
    app = AppFolder.find(folder)
    registry = app.registry()
    follower = Follower(registry, app, state=folder / ".tutela")
    seen = queue.SimpleQueue[str]()
    registry.watch(lambda event: seen.put(event.kind))
    follower.start()
    write(folder, value=2)  # found whether the watching has begun or not
    while seen.get(timeout=20) != "registry.commit":
        pass
    follower.stop()
    assert not follower.running
    assert registry.get("app:setting").data["value"] == 2
