from collections.abc import Sequence
from pathlib import Path

import pytest

from registry import ChangeSet, FaultsError, Operation, Registry, load_folder


def write(folder: Path, body: str) -> None:
    (folder / "_index.yaml").write_text(f"namespace: a\nentries:\n{body}")


def test_a_folder_that_was_read_again_changes_only_what_differs(tmp_path: Path) -> None:
    write(tmp_path, "  - {name: x, kind: k, v: 1}\n  - {name: y, kind: k, source: 'local'}\n")
    registry = Registry.load(tmp_path)
    before = registry.get("a:y")
    write(tmp_path, "\n  - {name: x, kind: k, v: 2}\n  - {name: y, kind: k, source: 'local'}\n  - {name: z, kind: k}\n")
    version = registry.adopt(load_folder(tmp_path))
    assert version is not None
    assert [(op.action.value, op.id) for op in version.operations] == [("entry.update", "a:x"), ("entry.create", "a:z")]
    assert registry.get("a:y") is before
    assert registry.place_of("a:y")[1] == 5
    assert registry.place_of("a:x", "v")[1] == 4
    assert registry.adopt(load_folder(tmp_path)) is None


def test_an_entry_that_was_changed_at_run_time_has_no_place_until_it_is_rolled_back(tmp_path: Path) -> None:
    write(tmp_path, "  - {name: x, kind: k, source: 'local'}\n")
    registry = Registry.load(tmp_path)
    registry.apply(ChangeSet().update({"id": "a:x", "data": {"source": "other"}}))
    assert registry.place_of("a:x") == ("", 0)
    source = registry.source_of("a:x")
    assert (source.name, source.file, source.first_line) == ("a:x", "", 1)
    registry.rollback()
    assert registry.place_of("a:x", "source") == (f"{tmp_path}/_index.yaml", 3)


def test_what_changed_at_run_time_stays_unless_its_file_changes(tmp_path: Path) -> None:
    write(tmp_path, "  - {name: x, kind: k, v: 1}\n  - {name: y, kind: k, v: 1}\n  - {name: z, kind: k}\n")
    registry = Registry.load(tmp_path)
    made = {"id": "a:made", "kind": "k", "data": {"v": 5}}
    changes = [{"id": f"a:{name}", "data": {"v": 2}} for name in "xy"]
    registry.apply(ChangeSet().create(made).update(changes[0]).update(changes[1]).delete("a:z"))
    write(tmp_path, "  - {name: x, kind: k, v: 3}\n  - {name: y, kind: k, v: 1}\n")
    version = registry.adopt(load_folder(tmp_path))
    assert version is not None
    assert [(op.action.value, op.id) for op in version.operations] == [("entry.update", "a:x")]
    assert {entry.name: entry.data["v"] for entry in registry.snapshot()} == {"x": 3, "y": 2, "made": 5}


def test_a_broken_folder_leaves_the_registry_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, "  - {name: x, kind: k}\n")
    registry = Registry.load(tmp_path)
    write(tmp_path, "  - {name: x, kind: k}\n  - {name: x, kind: k}\n")
    with pytest.raises(FaultsError, match="defines already"):
        registry.adopt(load_folder(tmp_path))
    write(tmp_path, "  - {name: x, kind: k, v: '${env:NO}'}\n")
    with pytest.raises(FaultsError, match=r"_index.yaml:3: a:x\.v: got no value for"):
        registry.adopt(load_folder(tmp_path))
    assert (registry.version, registry.get("a:x").data) == (0, {})
    assert registry.place_of("a:x")[1] == 3


def test_a_handler_learns_the_place_of_an_entry_that_it_prepares(tmp_path: Path) -> None:
    write(tmp_path, "  - {name: x, kind: k, source: one}\n")
    registry = Registry.load(tmp_path)
    lines: list[int] = []

    class Handler:
        def prepare(self, operation: Operation) -> None:
            lines.append(registry.source_of(operation.entry).first_line)

        def undo(self, operation: Operation) -> None: ...

        def commit(self, operations: Sequence[Operation]) -> None: ...

        def discard(self) -> None: ...

    registry.attach(Handler())
    write(tmp_path, "\n\n  - {name: x, kind: k, source: two}\n  - {name: y, kind: k, source: new}\n")
    registry.adopt(load_folder(tmp_path))
    assert lines == [3, 5, 6]
