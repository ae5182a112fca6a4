from pathlib import Path
from typing import Any

import pytest

from registry import FaultsError, Registry, RegistryError, parse_override
from registry.overrides import plain_value

APP = """
namespace: shop
entries:
  - name: procs
    kind: process.host
    host: {workers: 1}
    tags: [a, b]
  - {name: other, kind: k}
"""


@pytest.fixture
def app(tmp_path: Path) -> str:
    (tmp_path / "_index.yaml").write_text(APP)
    (tmp_path / "old.yaml").write_text("namespace: shop.old.deep\nentries: [{name: x, kind: k}]\n")
    (tmp_path / "older.yaml").write_text("namespace: shop.old\nentries: [{name: x, kind: k}]\n")
    return str(tmp_path)


def test_overrides_reach_data_meta_kind_and_list_items(app: str) -> None:
    overrides = {
        "shop:procs:host.workers": 4,
        "shop:procs:data.deep.er": "x",
        "shop:procs:meta.team.name": True,
        "shop:procs:tags.1": "c",
        "shop:other:kind": "process.lua",
    }
    registry = Registry.load(app, overrides=overrides)
    entry = registry.get("shop:procs")
    assert entry.data == {"host": {"workers": 4}, "tags": ["a", "c"], "deep": {"er": "x"}}
    assert entry.meta == {"team": {"name": True}}
    assert registry.get("shop:other").kind == "process.lua"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "shop:prcs:host",
            1,
            "override shop:prcs:host: got an unknown entry, expected the id of a loaded entry; "
            "did you mean 'shop:procs'?",
        ),
        ("shop:procs", 1, "override shop:procs: got 'shop:procs', expected a key of the form namespace:name:path"),
        (
            "shop:procs:a..b",
            1,
            "override shop:procs:a..b: got 'shop:procs:a..b', expected a key of the form namespace:name:path",
        ),
        ("shop:procs:kind", 3, "override shop:procs:kind: got 3, expected the name of a kind"),
        ("shop:procs:meta", 3, "override shop:procs:meta: got the path 'meta', expected a field below it"),
        ("shop:procs:host.workers.x", 3, "override shop:procs:host.workers.x: got 1 at 'host.workers', expected a map"),
        ("shop:procs:tags.7", 3, "override shop:procs:tags.7: got the step '7', expected an index of a list of 2"),
    ],
)
def test_a_bad_override_is_told(app: str, key: str, value: Any, message: str) -> None:
    with pytest.raises(FaultsError) as caught:
        Registry.load(app, overrides={key: value})
    assert str(caught.value) == message


def test_values_from_the_command_line_get_their_type() -> None:
    assert parse_override("shop:temporal_client:address=10.0.0.5:7233=x") == (
        "shop:temporal_client:address",
        "10.0.0.5:7233=x",
    )
    pairs = {
        "true": True,
        "FALSE": False,
        "-3": -3,
        "007": "007",
        "1.5": 1.5,
        "1e3": 1000.0,
        "": "",
        "1s": "1s",
        "0": 0,
    }
    assert {text: plain_value(text) for text in pairs} == pairs
    assert type(plain_value("1e3")) is float
    for text in ("shop:procs:x", "shop:x=1", "=1"):
        with pytest.raises(RegistryError, match="namespace:name:path=value"):
            parse_override(text)


def test_disabled_namespaces_and_entries_are_left_out(app: str) -> None:
    def ids(**disable: list[str]) -> list[str]:
        return [entry.id for entry in Registry.load(app, disable=disable).find()]

    everything = ["shop.old.deep:x", "shop.old:x", "shop:other", "shop:procs"]
    assert ids() == everything
    assert ids(namespaces=["shop.old.**"]) == ["shop:other", "shop:procs"]
    assert ids(namespaces=["shop.*"]) == ["shop.old.deep:x", "shop:other", "shop:procs"]
    assert ids(entries=["shop:o*"]) == ["shop.old.deep:x", "shop.old:x", "shop:procs"]
    assert ids(entries=["shop:other"]) == ["shop.old.deep:x", "shop.old:x", "shop:procs"]
    assert ids(entries=["**"]) == []
    with pytest.raises(FaultsError, match=r"disable\.entries: got 'shop:othr'.* did you mean 'shop:other'\?"):
        ids(entries=["shop:othr"])
    with pytest.raises(FaultsError, match=r"disable\.names: got an unknown section"):
        ids(names=["x"])
