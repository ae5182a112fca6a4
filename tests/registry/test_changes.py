from typing import Any

import pytest

from registry import Action, ChangeSet, Entry, Operation, RegistryError
from registry.changes import build_delta, normalize, ordered, overlay, squash


def e(name: str, value: Any = 0, kind: str = "k") -> Entry:
    return Entry(f"a:{name}", kind, {}, {"v": value} if not isinstance(value, dict) else value)


def create(entry: Entry) -> Operation:
    return Operation(Action.CREATE, entry)


def update(entry: Entry, previous: Entry) -> Operation:
    return Operation(Action.UPDATE, entry, previous)


def delete(entry: Entry) -> Operation:
    return Operation(Action.DELETE, entry)


ONE, TWO, THREE = e("x", 1), e("x", 2), e("x", 3)


@pytest.mark.parametrize(
    ("sequence", "wanted"),
    [
        ([create(ONE), update(TWO, ONE)], [create(TWO)]),
        ([create(ONE), delete(ONE)], []),
        ([update(TWO, ONE), update(THREE, TWO)], [update(THREE, ONE)]),
        ([update(TWO, ONE), delete(TWO)], [delete(ONE)]),
        ([delete(ONE), create(TWO)], [update(TWO, ONE)]),
        ([delete(ONE), create(e("x", 2, "other"))], [delete(ONE), create(e("x", 2, "other"))]),
        ([create(ONE), create(e("y"))], [create(ONE), create(e("y"))]),
    ],
)
def test_squash_folds_the_operations_of_each_entry(sequence: list[Operation], wanted: list[Operation]) -> None:
    assert squash(sequence) == wanted


def test_normalize_completes_operations_and_keeps_a_replacement_as_two() -> None:
    state = {"a:x": ONE}
    changes = ChangeSet().update({"id": "a:x", "data": {"v": 2}}).create(e("y"))
    operations, failures = normalize(changes, state)
    assert not failures
    assert operations == [update(TWO, ONE), create(e("y"))]
    replaced, failures = normalize(ChangeSet().delete("a:x").create(e("x", 2, "other")), state)
    assert not failures
    assert [operation.action for operation in replaced] == [Action.DELETE, Action.CREATE]
    again, _ = normalize(ChangeSet().delete("a:x").create(TWO), state)
    assert [operation.action for operation in again] == [Action.DELETE, Action.CREATE]


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        (ChangeSet().create(TWO), "Conflict", "entry already exists: a:x"),
        (ChangeSet().update(e("y")), "NotFound", "entry not found: a:y"),
        (ChangeSet().delete("a:y"), "NotFound", "entry not found: a:y"),
        (
            ChangeSet().update(e("x", 1, "other")),
            "Invalid",
            "cannot change the kind of a:x from k to other; delete and create it",
        ),
        (ChangeSet().update({"id": "a:x", "kind": "k"}), "Invalid", "config data required: a:x"),
        (ChangeSet().create(e("y")).create(e("y")), "Conflict", "entry already exists: a:y"),
        (ChangeSet().delete("a:x").delete("a:x"), "NotFound", "entry not found: a:x"),
    ],
)
def test_an_operation_that_does_not_fit_the_state_fails(changes: ChangeSet, kind: str, message: str) -> None:
    _, failures = normalize(changes, {"a:x": ONE})
    assert [(failure.cause.kind, str(failure.cause)) for failure in failures] == [(kind, message)]


def test_a_change_set_refuses_what_is_no_entry_at_once() -> None:
    for call in (
        lambda: ChangeSet().create({"id": "a:x"}),
        lambda: ChangeSet().create({"id": "x", "kind": "k"}),
        lambda: ChangeSet().delete("x"),
        lambda: ChangeSet().update({"kind": "k"}),
    ):
        with pytest.raises(RegistryError) as caught:
            call()
        assert caught.value.kind == "Invalid"


def test_deletes_come_first_and_backwards_then_creates_and_updates_forwards() -> None:
    old_low, old_high = e("old_low"), e("old_high", {"host": "old_low"})
    low, high = e("zlow"), e("high", {"host": "zlow"})
    before = {entry.id: entry for entry in (old_low, old_high)}
    operations = [create(high), delete(old_low), create(low), delete(old_high)]
    assert ordered(operations, before) == [delete(old_high), delete(old_low), create(low), create(high)]


def test_a_delta_leads_from_one_state_to_the_other() -> None:
    before = {"a:x": ONE, "a:gone": e("gone"), "a:same": e("same", 1), "a:kind": e("kind")}
    after = {"a:x": TWO, "a:new": e("new"), "a:same": e("same", 1.0), "a:kind": e("kind", 0, "other")}
    delta = build_delta(before, after)
    assert [(operation.action.value, operation.id) for operation in delta] == [
        ("entry.delete", "a:kind"),
        ("entry.delete", "a:gone"),
        ("entry.create", "a:kind"),
        ("entry.create", "a:new"),
        ("entry.update", "a:x"),
    ]
    assert overlay(before, delta) == {**after, "a:same": before["a:same"]}
    assert build_delta({"a:x": e("x", 1)}, {"a:x": e("x", True)}) != []
    assert build_delta(before, before) == []


def test_an_inverse_undoes() -> None:
    for operation in (create(ONE), update(TWO, ONE), delete(ONE)):
        before = {} if operation.action is Action.CREATE else {"a:x": ONE}
        assert overlay(overlay(before, [operation]), [operation.inverse()]) == before
    with pytest.raises(ValueError, match="does not know"):
        Operation(Action.UPDATE, ONE).inverse()
