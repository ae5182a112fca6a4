from typing import Any

import pytest

from registry import Entry, Registry, RegistryError

REGISTRY = Registry(
    [
        Entry(
            "app:one", "function.lua", {"type": "test", "order": 2, "tags": ["a", "b"], "deep": {"er": {"x": "hello"}}}
        ),
        Entry("app:two", "function.lua", {"type": "tool", "order": 2.0, "tags": "abc", "on": True}),
        Entry("app.sub:three", "process.lua", {"on": 1, "none": None}),
        Entry("zoo:four", "process.host"),
    ]
)


def ids(query: Any = None, **named: Any) -> list[str]:
    return [entry.id.partition(":")[2] for entry in REGISTRY.find(query, **named)]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, ["three", "one", "two", "four"]),
        ({".kind": "function.lua"}, ["one", "two"]),
        ({".kind": "*.lua"}, ["three", "one", "two"]),
        ({".kind": "p*t"}, ["four"]),
        ({".kind": "*"}, ["three", "one", "two", "four"]),
        ({".kind": "process.lua*process.lua"}, []),
        ({".ns": "app"}, ["one", "two"]),
        ({".name": "t*"}, ["three", "two"]),
        ({".id": "app:one"}, ["one"]),
        ({"meta.type": "test"}, ["one"]),
        ({"meta.type": "test", ".kind": "process.*"}, []),
        ({"meta.order": 2}, ["one", "two"]),
        ({"meta.on": True}, ["two"]),
        ({"meta.on": 1}, ["three"]),
        ({"meta.none": None}, ["three"]),
        ({"meta.tags": ["b"]}, ["one"]),
        ({"meta.tags": ["b", "a"]}, ["one"]),
        ({"meta.tags": ["b", "c"]}, []),
        ({"*meta.tags": "b"}, ["one", "two"]),
        ({"*meta.tags": "bc"}, ["two"]),
        ({"^meta.type": "t"}, ["one", "two"]),
        ({"$meta.type": "ol"}, ["two"]),
        ({"~meta.type": "^te.t$"}, ["one"]),
        ({"~meta.order": "2"}, []),
        ({"meta.deep.er.x": "hello"}, ["one"]),
        ({"meta.deep.er.y": "hello"}, []),
        ({"meta": {"type": "test", "order": 2}}, ["one"]),
    ],
)
def test_a_filter_keeps_the_entries_that_meet_all_conditions_sorted_by_id(query: Any, wanted: list[str]) -> None:
    assert ids(query) == wanted


def test_python_keywords_stand_for_record_fields_and_meta() -> None:
    assert ids(kind="function.*", **{"meta.type": "test"}) == ["one"]
    assert ids(ns="zoo") == ids(namespace="zoo") == ids(name="four") == ids(id="zoo:four") == ["four"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"type": "test"}, "unknown filter key 'type'; write 'meta.type'"),
        ({".knd": "x"}, "unknown filter key '.knd'; did you mean '.kind'?"),
        ({"meta.": "x"}, "unknown filter key"),
        ({"~meta.type": "("}, "invalid regular expression '('"),
        ({"~meta.type": 3}, "expected a text"),
        ({".kind": 3}, "expected a text"),
        ({".kind": "*a*"}, "one '*' only"),
        ({"meta": "x"}, "must be a map"),
        ({3: "x"}, "write a text"),
    ],
)
def test_a_condition_that_means_nothing_is_an_error_and_never_ignored(query: Any, message: str) -> None:
    with pytest.raises(RegistryError) as caught:
        ids(query)
    assert caught.value.kind == "Invalid"
    assert message in str(caught.value)


def test_a_snapshot_answers_the_same_questions() -> None:
    snapshot = REGISTRY.snapshot()
    assert [entry.id for entry in snapshot.namespace("app")] == ["app:one", "app:two"]
    assert snapshot.get("zoo:four").kind == "process.host"
    assert [entry.id for entry in snapshot] == [entry.id for entry in REGISTRY.find()]
    with pytest.raises(RegistryError, match="did you mean 'app:one'"):
        snapshot.get("app:on")
    with pytest.raises(TypeError):
        snapshot.entries["x:y"] = snapshot.get("zoo:four")  # type: ignore[index]
