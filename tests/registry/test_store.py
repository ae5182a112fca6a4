import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from registry import (
    Action,
    ChangeSet,
    Checked,
    Entry,
    Event,
    FaultsError,
    MemoryHistory,
    NoHistory,
    Operation,
    Problem,
    Registry,
    RegistryError,
)


def e(name: str, value: Any = 0, kind: str = "k") -> Entry:
    return Entry(f"a:{name}", kind, {}, value if isinstance(value, dict) else {"v": value})


class Recorder:
    """A handler that writes down what it is asked and refuses what it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.refuse: dict[str, Callable[[], Exception | None]] = {}
        self.models: dict[str, Any] = {}

    def prepare(self, operation: Operation) -> None:
        self.models[operation.id] = operation.model
        error = self.refuse.get(operation.id, lambda: None)()
        self.calls.append(f"{operation.action.value[6:]} {operation.id}" + (" refused" if error else ""))
        if error is not None:
            raise error

    def undo(self, operation: Operation) -> None:
        self.calls.append(f"undo {operation.action.value[6:]} {operation.id}")

    def commit(self, operations: Sequence[Operation]) -> None:
        self.calls.append(f"commit {len(operations)}")

    def discard(self) -> None:
        self.calls.append("discard")


def error(kind: str) -> Callable[[], Exception]:
    return lambda: RegistryError(f"refused as {kind}", kind=kind)


def attached(*entries: Entry) -> tuple[Registry, Recorder, list[str]]:
    registry, handler, events = Registry(entries), Recorder(), list[str]()
    registry.attach(handler)
    handler.calls.clear()
    registry.watch(lambda event: events.append(f"{event.kind} {event.path}"))
    return registry, handler, events


def test_get_names_the_nearest_id_when_there_is_none() -> None:
    registry = Registry([e("ledger")])
    with pytest.raises(RegistryError, match=r"entry not found: a:ledgr; did you mean 'a:ledger'\?") as caught:
        registry.get("a:ledgr")
    assert caught.value.kind == "NotFound"
    with pytest.raises(RegistryError) as caught:
        registry.get("ledger")
    assert caught.value.kind == "Invalid"
    assert registry.get({"ns": "a", "name": "ledger"}) is registry.get("a:ledger")
    assert "a:ledger" in registry
    assert len(registry) == 1


def test_an_apply_asks_the_handler_in_order_and_tells_the_watchers() -> None:
    registry, handler, events = attached(e("old"))
    version = registry.apply(ChangeSet().create(e("b", {"host": "c"})).create(e("c")).delete("a:old"))
    assert version.id == registry.version == 1
    assert handler.calls == ["delete a:old", "create a:c", "create a:b", "commit 3"]
    assert events == [
        "registry.begin 1",
        "entry.delete a:old",
        "entry.accept a:old",
        "entry.create a:c",
        "entry.accept a:c",
        "entry.create a:b",
        "entry.accept a:b",
        "registry.commit 1",
    ]


def test_readers_see_the_old_state_until_the_commit() -> None:
    registry, handler, _ = attached()
    seen: list[bool] = []
    registry.watch(lambda event: seen.append("a:x" in registry))
    handler.commit = lambda operations: seen.append("a:x" in registry)  # type: ignore[method-assign]
    registry.apply(ChangeSet().create(e("x")))
    assert seen == [False, False, False, True, True]


def test_a_refusal_undoes_what_was_accepted_and_keeps_its_kind() -> None:
    registry, handler, events = attached(e("old"))
    handler.refuse["a:c"] = error("PermissionDenied")
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(e("b")).create(e("c")).create(e("d")).delete("a:old"))
    assert (caught.value.kind, str(caught.value)) == ("PermissionDenied", "a:c: refused as PermissionDenied")
    assert caught.value.details == {"id": "a:c", "op": "entry.create", "cause": "refused as PermissionDenied"}
    assert handler.calls[:3] == ["delete a:old", "create a:b", "create a:c refused"]
    assert handler.calls[3:] == ["undo create a:b", "undo delete a:old", "discard"]
    assert events[-2:] == ["entry.reject a:c", "registry.discard 1"]
    assert registry.version == 0
    assert "a:old" in registry
    del handler.refuse["a:c"]
    assert registry.apply(ChangeSet().create(e("c"))).id == 1


def test_an_unexpected_error_of_a_handler_is_internal() -> None:
    registry, handler, _ = attached()
    handler.refuse["a:c"] = lambda: ValueError("boom")
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(e("c")))
    assert (caught.value.kind, str(caught.value)) == ("Internal", "a:c: boom")


def test_what_is_not_found_is_tried_again_after_the_others() -> None:
    registry, handler, _ = attached()
    handler.refuse["a:b"] = lambda: None if "create a:z" in handler.calls else error("NotFound")()
    registry.apply(ChangeSet().create(e("b")).create(e("z")))
    assert handler.calls == ["create a:b refused", "create a:z", "create a:b", "commit 2"]


def test_what_is_never_found_fails_when_a_pass_makes_no_progress() -> None:
    registry, handler, _ = attached()
    handler.refuse["a:b"] = error("NotFound")
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(e("b")).create(e("z")))
    assert caught.value.kind == "NotFound"
    assert handler.calls == ["create a:b refused", "create a:z", "create a:b refused", "undo create a:z", "discard"]


def test_kinds_without_handler_are_stored_without_a_word() -> None:
    registry, handler, events = attached()
    registry.apply(ChangeSet().create(e("x", kind="registry.entry")).create(e("y", kind="ns.definition")))
    assert handler.calls == ["commit 0"]
    assert events == ["registry.begin 1", "registry.commit 1"]
    assert len(registry) == 2


def test_attaching_replays_the_state_in_dependency_order() -> None:
    registry, handler = Registry([e("a", {"host": "z"}), e("z"), e("n", kind="registry.entry")]), Recorder()
    registry.attach(handler)
    assert handler.calls == ["create a:z", "create a:a", "commit 2"]
    assert handler.models["a:z"] == {"v": 0}
    with pytest.raises(RegistryError) as caught:
        registry.attach(Recorder())
    assert caught.value.kind == "Conflict"
    registry.detach()
    registry.attach(Recorder())


def test_attaching_reports_every_refusal_at_once_and_undoes_the_rest() -> None:
    registry, handler = Registry([e("a"), e("b"), e("c"), e("d")]), Recorder()
    handler.refuse.update({"a:a": error("Invalid"), "a:c": error("NotFound"), "a:d": error("Invalid")})
    with pytest.raises(FaultsError) as caught:
        registry.attach(handler)
    assert [str(fault) for fault in caught.value.faults] == [
        "a:a: refused as Invalid",
        "a:d: refused as Invalid",
        "a:c: refused as NotFound",
    ]
    assert handler.calls[-2:] == ["undo create a:b", "discard"]
    registry.attach(Recorder())


def test_several_failing_operations_are_internal_and_all_named() -> None:
    registry = Registry([e("x")])
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(e("x")).delete("a:y"))
    assert caught.value.kind == "Internal"
    assert str(caught.value) == "entry already exists: a:x; entry not found: a:y"
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(e("x")))
    assert caught.value.kind == "Conflict"
    assert caught.value.details == {"id": "a:x", "op": "entry.create", "cause": "entry already exists: a:x"}


def test_an_empty_change_set_is_invalid_and_one_that_undoes_itself_makes_no_version() -> None:
    registry = Registry()
    with pytest.raises(RegistryError, match="no changes to apply"):
        registry.apply(ChangeSet())
    assert registry.apply(ChangeSet().create(e("x")).delete("a:x")).id == 0
    assert len(registry.history) == 1


def test_changes_planned_against_another_version_conflict() -> None:
    registry = Registry()
    registry.apply(ChangeSet().create(e("x")))
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(e("y")), base=0)
    assert (caught.value.kind, caught.value.retryable) == ("Conflict", True)
    assert registry.apply(ChangeSet().create(e("y")), base=1).id == 2


def test_an_apply_from_within_an_apply_is_refused_and_does_not_hang() -> None:
    registry, handler, _ = attached()

    def nested() -> Exception | None:
        registry.apply(ChangeSet().create(e("y")))
        return None

    handler.refuse["a:x"] = nested
    with pytest.raises(RegistryError) as caught:
        registry.apply(ChangeSet().create(e("x")))
    assert caught.value.kind == "Conflict"
    assert "from within an apply" in str(caught.value)


def test_applies_of_many_threads_are_serial_and_none_is_lost() -> None:
    registry, handler, _ = attached()
    threads = [
        threading.Thread(target=lambda n=n: [registry.apply(ChangeSet().create(e(f"t{n}_{i}"))) for i in range(10)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.version == 40
    assert len(registry) == 40
    assert handler.calls.count("commit 1") == 40


def test_a_failing_watcher_or_commit_is_logged_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    registry, handler, events = attached()

    def broken(_: Any) -> None:
        raise ValueError("boom")

    stop = registry.watch(broken)
    handler.commit = broken  # type: ignore[method-assign]
    registry.apply(ChangeSet().create(e("x")))
    assert registry.version == 1
    assert events[-1] == "registry.commit 1"
    assert "failed to execute commit protocol of 1" in caplog.text
    assert "a registry watcher failed" in caplog.text
    stop()
    caplog.clear()
    registry.apply(ChangeSet().create(e("y")))
    assert "watcher failed" not in caplog.text


def test_an_event_carries_the_entry_or_the_error() -> None:
    registry, handler, _ = attached()
    seen: list[Event] = []
    registry.watch(seen.append)
    handler.refuse["a:x"] = error("Invalid")
    with pytest.raises(RegistryError):
        registry.apply(ChangeSet().create(e("x")))
    assert seen[1].data == e("x")
    assert isinstance(seen[2].data, RegistryError)
    assert {event.system for event in seen} == {"registry"}


def test_versions_form_a_tree_and_one_can_go_anywhere_in_it() -> None:
    registry, handler, _ = attached(e("base", 0))
    registry.apply(ChangeSet().create(e("x", 1)))
    registry.apply(ChangeSet().update(e("x", 2)).delete("a:base"))
    assert registry.rollback().id == registry.version == 1
    assert registry.get("a:x").data == {"v": 1}
    assert registry.apply(ChangeSet().create(e("y"))).id == 3
    assert [(version.id, version.previous) for version in registry.history] == [(0, None), (1, 0), (2, 1), (3, 1)]
    assert (registry.next_version(0), registry.next_version(1), registry.next_version(3)) == (1, 3, None)
    handler.calls.clear()
    registry.apply_version(2)
    assert handler.calls == ["delete a:y", "delete a:base", "update a:x", "commit 3"]
    assert [entry.id for entry in registry.find()] == ["a:x"]
    registry.apply_version(0)
    assert [entry.data for entry in registry.find()] == [{"v": 0}]
    assert str(registry.get_version(2)) == "v2"


def test_going_to_the_current_version_does_nothing_and_to_an_unknown_one_fails() -> None:
    registry, handler, _ = attached()
    assert registry.apply_version(0).id == 0
    assert handler.calls == []
    for call, kind in (
        (lambda: registry.apply_version(7), "NotFound"),
        (lambda: registry.snapshot_at(7), "NotFound"),
        (lambda: registry.snapshot_at(-1), "Invalid"),
        (lambda: registry.rollback(), "NotFound"),
        (lambda: registry.get_version(-1), "NotFound"),
    ):
        with pytest.raises(RegistryError) as caught:
            call()
        assert caught.value.kind == kind


def test_a_refused_rollback_leaves_the_head_where_it_was() -> None:
    registry, handler, _ = attached(e("x", 0))
    registry.apply(ChangeSet().update(e("x", 1)))
    handler.refuse["a:x"] = error("Invalid")
    with pytest.raises(RegistryError):
        registry.rollback()
    assert (registry.version, registry.get("a:x").data) == (1, {"v": 1})


def test_a_snapshot_of_any_version_includes_the_baseline_and_never_changes() -> None:
    registry = Registry([e("base")])
    registry.apply(ChangeSet().create(e("x", 1)))
    first = registry.snapshot()
    registry.apply(ChangeSet().update(e("x", 2)).delete("a:base"))
    assert first.get("a:x").data == {"v": 1}
    assert (len(first), first.version) == (2, 1)
    assert dict(registry.snapshot_at(1).entries) == dict(first.entries)
    assert [entry.id for entry in registry.snapshot_at(0)] == ["a:base"]
    delta = registry.build_delta(registry.snapshot(), registry.snapshot_at(0))
    registry.apply(delta)
    assert dict(registry.snapshot().entries) == dict(registry.snapshot_at(0).entries)


def test_without_history_only_the_current_version_is_kept() -> None:
    registry = Registry([e("x")], history=NoHistory())
    registry.apply(ChangeSet().create(e("y")))
    registry.apply(ChangeSet().create(e("z")))
    assert [version.id for version in registry.history] == [2]
    for call in (lambda: registry.apply_version(1), lambda: registry.snapshot_at(0), lambda: registry.rollback()):
        with pytest.raises(RegistryError) as caught:
            call()
        assert caught.value.kind == "NotFound"


def test_what_a_history_holds_is_laid_over_the_baseline() -> None:
    history = MemoryHistory()
    Registry([e("x", 0)], history=history).apply(ChangeSet().update(e("x", 1)).create(e("y")))
    again = Registry([e("x", 5), e("z")], history=history)
    assert again.version == 1
    assert {entry.id: entry.data for entry in again.find()} == {"a:x": {"v": 1}, "a:y": {"v": 0}, "a:z": {"v": 0}}


class Picky:
    """Kinds that want an integer ``v`` and warn of everything else; two entries must not have the same ``v``."""

    def check(self, entry: Entry, data: Any) -> Checked:
        problems = [Problem(("v",), "no integer", "an integer")] if not isinstance(data.get("v"), int) else []
        return Checked(data.get("v"), tuple(problems))

    def check_all(self, entries: Any, deleted: Any) -> list[tuple[str, Problem]]:
        if "a:keep" in deleted:
            return [("a:keep", Problem((), "a delete", "another idea", kind="Conflict"))]
        values = [entry.data.get("v") for entry in entries.values()]
        return [
            (entry_id, Problem(("v",), "a value twice", "one of its own", kind="Conflict"))
            for entry_id, entry in sorted(entries.items())
            if isinstance(entry.data.get("v"), int) and values.count(entry.data["v"]) > 1
        ]


def test_faults_of_entries_refuse_the_baseline_and_every_apply() -> None:
    with pytest.raises(FaultsError) as caught:
        Registry([e("x", "one"), e("y", "two"), e("z", 3)], kinds=Picky())
    assert [str(fault) for fault in caught.value.faults] == [
        "a:x.v: got no integer, expected an integer",
        "a:y.v: got no integer, expected an integer",
    ]
    registry = Registry([e("keep", 0), e("x", 1)], kinds=Picky())
    for changes, kind, message in (
        (ChangeSet().create(e("y", "no")), "Invalid", "a:y.v: got no integer, expected an integer"),
        (ChangeSet().delete("a:keep"), "Conflict", "a:keep: got a delete, expected another idea"),
    ):
        with pytest.raises(FaultsError) as caught:
            registry.apply(changes)
        assert (caught.value.kind, str(caught.value)) == (kind, message)
        assert caught.value.details is not None
        assert caught.value.details["op"] in ("entry.create", "entry.delete")
    assert registry.version == 0
    assert registry.decode("a:x") == 1


def test_handlers_receive_the_models_of_what_they_prepare() -> None:
    registry, handler = Registry(kinds=Picky()), Recorder()
    registry.attach(handler)
    registry.apply(ChangeSet().create(e("x", 7)))
    assert handler.models == {"a:x": 7}
    assert registry.history[1].operations[0].model is None


def test_data_is_required() -> None:
    for make in (
        lambda: Registry([Entry("a:x", "k", {}, None)]),
        lambda: Registry().apply([Operation(Action.CREATE, Entry("a:x", "k", {}, None))]),
    ):
        with pytest.raises(RegistryError, match="config data required") as caught:
            make()
        assert caught.value.kind == "Invalid"
    with pytest.raises(RegistryError, match="already exists"):
        Registry([e("x"), e("x")])
