import os
from pathlib import Path
from typing import Any

import pytest

from registry import FaultsError, Registry, load_folder


def put(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def faults(path: str, **options: Any) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        load_folder(path, **options)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


ONE = "namespace: shop\nentries:\n  - {name: a, kind: k}\n"


def test_fields_become_data_and_file_meta_lies_under_entry_meta(inside: Path) -> None:
    put(
        "app/_index.yaml",
        """
version: "1.0"
namespace: shop
meta: {team: x, comment: file}
entries:
  - name: a
    kind: k
    meta: {comment: own}
    field: [1, {deep: true}]
  - name: b
    kind: k
    data: {only: this}
    ignored: 1
""",
    )
    first, second = load_folder("app").entries
    assert (first.id, first.kind, first.meta) == ("shop:a", "k", {"team": "x", "comment": "own"})
    assert first.data == {"field": [1, {"deep": True}]}
    assert second.data == {"only": "this"}
    assert second.meta == {"team": "x", "comment": "file"}


def test_a_file_may_hold_a_single_entry(inside: Path) -> None:
    put("app/x.yml", "namespace: shop\nversion: '1'\nname: a\nkind: k\nmeta: {m: 1}\nrequirements: []\nfield: 2\n")
    (entry,) = load_folder("app").entries
    assert (entry.id, entry.meta, entry.data) == ("shop:a", {"m": 1}, {"field": 2})


def test_every_yaml_and_json_file_below_the_source_is_read_but_not_hidden_or_node_modules(inside: Path) -> None:
    put("app/src/_index.yaml", ONE)
    put("app/src/deep/er/any.yml", ONE.replace("name: a", "name: b"))
    put("app/src/more.json", '{"namespace": "shop", "entries": [{"name": "c", "kind": "k"}]}')
    put("app/src/node_modules/x.yaml", "namespace: no\nentries: [")
    put("app/src/.hidden/x.yaml", "namespace: no\nentries: [")
    put("app/src/notes.txt", "namespace: no\nentries: [")
    put("app/src/other.yaml", "just: something\n")
    put("app/src/blank.yaml", "namespace: ' '\nentries: 3\n")
    put("app/outside.yaml", "namespace: no\nentries: [")
    folder = load_folder("app")
    assert [entry.id for entry in folder.entries] == ["shop:a", "shop:c", "shop:b"]
    assert folder.root == "app/src"


def test_a_lock_file_names_the_source_directory(inside: Path) -> None:
    put("app/wippy.lock", "directories:\n  src: ./definitions\n")
    put("app/definitions/x.yaml", ONE)
    put("app/src/y.yaml", ONE.replace("name: a", "name: b"))
    assert [entry.id for entry in load_folder("app").entries] == ["shop:a"]
    put("app/other.lock", "directories: {modules: .x}\n")
    assert [entry.id for entry in load_folder("app", lock_file="other.lock").entries] == ["shop:b"]


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        (
            "directories:\n  src: .\n",
            "app/wippy.lock:2: directories.src: got the app folder itself, "
            "expected a directory below it, such as ./src",
        ),
        (
            "directories:\n  src: gone\n",
            "app/wippy.lock:2: directories.src: got 'gone', expected a directory that exists",
        ),
        ("directories: 3\n", "app/wippy.lock:1: directories: got 3, expected a map of directories"),
        ("directories: {src: 3}\n", "app/wippy.lock:1: directories.src: got 3, expected the path of a directory"),
        ("a: [", "app/wippy.lock:2: invalid YAML: did not find expected node content"),
    ],
)
def test_a_broken_lock_file_is_told(inside: Path, lock: str, message: str) -> None:
    put("app/wippy.lock", lock)
    assert faults("app") == [message]


def test_a_folder_that_is_not_there_is_told(inside: Path) -> None:
    assert faults("nowhere") == ["nowhere: got no such folder, expected the folder of an app"]
    put("app/x.yaml", ONE)
    assert faults("app", lock_file="x.lock") == ["app/x.lock: got no such file, expected a lock file"]


def test_file_values_are_replaced_by_text_anywhere_in_the_document(inside: Path) -> None:
    put(
        "app/src/sub/_index.yaml",
        """
namespace: shop
meta: {doc: "file:///top.md"}
entries:
  - name: a
    kind: k
    source: file://lib/x.lua
    up: file://../common.lua
    nested: [{text: "file://lib/x.lua"}, "see file://x"]
""",
    )
    put("app/src/sub/lib/x.lua", "return 1\n")
    put("app/src/common.lua", "return 2\n")
    put("app/src/top.md", "namespace: not parsed\n")
    registry = Registry.load("app")
    entry = registry.get("shop:a")
    assert entry.data == {
        "source": "return 1\n",
        "up": "return 2\n",
        "nested": [{"text": "return 1\n"}, "see file://x"],
    }
    assert entry.meta == {"doc": "namespace: not parsed\n"}
    source = registry.source_of("shop:a")
    assert (source.name, source.file, source.first_line) == ("sub/lib/x.lua", "app/src/sub/lib/x.lua", 1)
    assert registry.source_of("shop:a", "up").name == "common.lua"
    assert registry.source_of("shop:a", "nested.0.text").name == "sub/lib/x.lua"


def test_inline_text_is_named_by_its_entry_and_the_line_where_it_begins(inside: Path) -> None:
    put("app/_index.yaml", "namespace: shop\nentries:\n  - name: a\n    kind: k\n    source: |\n      local x\n")
    source = Registry.load("app").source_of("shop:a")
    assert (source.name, source.file, source.first_line) == ("shop:a", "app/_index.yaml", 6)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("file://no.lua", "got 'file://no.lua': no such file or directory"),
        ("file://../../x.lua", "got 'file://../../x.lua': path traversal detected"),
        ("file:///../x.lua", "got 'file:///../x.lua': path traversal detected"),
        ("file://empty.lua", "got 'file://empty.lua': an empty file"),
        ("file://binary.lua", "got 'file://binary.lua': bytes that are not UTF-8 (at 0)"),
        ("file://", "got 'file://': no path after 'file://'"),
    ],
)
def test_a_bad_file_value_names_entry_field_and_reason(inside: Path, value: str, message: str) -> None:
    put("app/src/empty.lua", "")
    put("app/src/x.yaml", f"namespace: shop\nentries:\n  - name: a\n    kind: k\n    source: {value}\n")
    Path("app/src/binary.lua").write_bytes(b"\xff\xfe")
    expected = "a file of text below the source root"
    assert faults("app") == [f"app/src/x.yaml:5: shop:a.source: {message}, expected {expected}"]


def test_all_faults_of_all_files_come_at_once(inside: Path) -> None:
    put(
        "app/a.yaml",
        "namespace: shop\nentries:\n  - {kind: x}\n  - {name: b c, kind: ''}\n  - 3\n  - {name: x}\n"
        "  - {nme: x, kind: y}\n",
    )
    put("app/b.yaml", "namespace: a b\nentrys: []\n")
    put("app/c.yaml", "namespace: shop\nentries:\n")
    put("app/d.yaml", "namespace: shop\nentries:\n  - {name: a, kind: k\n")
    put(
        "app/e.yaml",
        "namespace: shop\nmeta: 3\nentries:\n  - {name: a, kind: k, meta: []}\n  - {name: b, kind: k, data: }\n",
    )
    put("app/f.yaml", "namespace: 5\nname: a\nkind: k\n")
    assert faults("app") == [
        "app/a.yaml:3: entry[0].name: got nothing, expected a text that is not blank",
        "app/a.yaml:4: entry[1].name: got 'b c', expected letters, digits, '_', '.', '-', ':' and '/'",
        "app/a.yaml:4: entry[1].kind: got an empty text, expected a text that is not blank",
        "app/a.yaml:5: entry[2]: got 3, expected a map with name and kind",
        "app/a.yaml:6: shop:x.kind: got nothing, expected a text that is not blank",
        "app/a.yaml:7: entry[4].name: got nothing, expected a text that is not blank; is it written as 'nme'?",
        "app/b.yaml:1: namespace: got 'a b', expected letters, digits, '_', '.' and '-'",
        "app/b.yaml:1: namespace: got a namespace without entries, expected a list 'entries'; is it 'entrys'?",
        "app/c.yaml:2: entries: got nothing, expected a list of entries",
        "app/d.yaml:4: invalid YAML: did not find expected ',' or '}'",
        "app/e.yaml:2: meta: got 3, expected a map",
        "app/e.yaml:4: shop:a.meta: got a list, expected a map",
        "app/e.yaml:5: shop:b.data: got nothing, expected the data of the entry",
        "app/f.yaml:1: namespace: got 5, expected a text",
    ]


def test_an_id_that_two_files_define_is_fatal_and_both_are_named(inside: Path) -> None:
    put("app/a.yaml", ONE)
    put("app/b.yaml", "\n" + ONE)
    assert faults("app") == [
        "app/b.yaml:4: shop:a: got an id that app/a.yaml:3 defines already, expected an id of its own"
    ]


def test_lenient_loading_drops_a_broken_file_whole_and_keeps_the_others(
    inside: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put("app/a.yaml", ONE + "  - {name: b}\n")
    put("app/b.yaml", ONE.replace("name: a", "name: c"))
    registry = Registry.load("app", lenient=True)
    assert [entry.id for entry in registry.find()] == ["shop:c"]
    assert [str(fault) for fault in registry.warnings] == [
        "app/a.yaml:4: shop:b.kind: got nothing, expected a text that is not blank"
    ]
    assert "skipping a broken file: app/a.yaml:4" in caplog.text


def test_files_are_named_as_the_user_typed_the_folder(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("app/src/x.yaml", "namespace: shop\nentries: 3\n")
    monkeypatch.chdir("app")
    assert faults(".")[0].startswith("src/x.yaml:2:")
    monkeypatch.chdir("src")
    assert faults("..")[0].startswith("../src/x.yaml:2:")
    assert faults(str(inside / "app"))[0].startswith(f"{inside}/app/src/x.yaml:2:")
