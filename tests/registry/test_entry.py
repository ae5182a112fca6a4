import copy
import json
import pickle

import pytest

from registry import Entry, EntryId, RegistryError, complete, parse_id
from registry.values import FrozenDict, FrozenList, freeze, same, thaw


def test_an_id_is_split_at_the_first_colon() -> None:
    assert parse_id("shop.api:a:b/c") == EntryId("shop.api", "a:b/c")
    assert str(parse_id({"ns": "shop", "name": "procs"})) == "shop:procs"


@pytest.mark.parametrize("text", ["", "procs", ":procs", "shop:", "a b:c", "a:b c", "a:{b}", "a:b|c", "a@b:c", "a:b\n"])
def test_an_id_that_is_not_whole_or_would_break_pids_is_refused(text: str) -> None:
    with pytest.raises(RegistryError) as caught:
        parse_id(text)
    assert caught.value.kind == "Invalid"


def test_a_bare_name_is_completed_and_a_full_id_is_left_alone() -> None:
    assert complete("procs", "shop") == "shop:procs"
    assert complete("other:procs", "shop") == "other:procs"
    assert complete("", "shop") == ""


def test_nobody_can_change_what_an_entry_holds() -> None:
    data = {"list": [1, {"a": 2}]}
    entry = Entry("a:b", "k", {"m": [1]}, data)
    data["list"].append(3)
    assert entry.data == {"list": [1, {"a": 2}]}
    for change in (
        lambda: entry.data.update(x=1),
        lambda: entry.data["list"].append(1),
        lambda: entry.data["list"][1].pop("a"),
        lambda: entry.meta["m"].__setitem__(0, 2),
        lambda: entry.data.setdefault("x", 1),
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            change()


def test_frozen_values_behave_as_plain_ones_for_encoders_and_copies() -> None:
    value = freeze({"a": [1, {"b": None}]})
    assert json.loads(json.dumps(value)) == value == {"a": [1, {"b": None}]}
    assert copy.deepcopy(value) is value
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert type(again) is FrozenDict
    assert type(again["a"]) is FrozenList
    assert type(thaw(value)["a"]) is list


def test_values_that_are_not_plain_are_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    for value in (object(), {"a": {1, 2}}, loop, {(1, 2): 3}):
        with pytest.raises(RegistryError, match=r"invalid data of a:b"):
            Entry("a:b", "k", {}, value)


def test_deep_comparison_tells_booleans_from_numbers_but_not_two_from_two_point_zero() -> None:
    assert same({"a": [2]}, {"a": [2.0]})
    assert not same({"a": [1]}, {"a": [True]})
    assert not same([1], [1, 2])
    assert not same({"a": 1}, {"b": 1})


def test_a_record_needs_a_whole_id_and_a_kind() -> None:
    entry = Entry.of({"id": {"ns": "a", "name": "b"}, "kind": "k", "data": {"x": 1}})
    assert (entry.id, entry.namespace, entry.name) == ("a:b", "a", "b")
    assert entry.record() == {"id": "a:b", "kind": "k", "meta": {}, "data": {"x": 1}}
    for record in ({"id": "a:b"}, {"kind": "k"}, {"id": "b", "kind": "k"}, {"id": "a:b", "kind": " "}):
        with pytest.raises(RegistryError):
            Entry.of(record)
