"""The order of starts and stops, decided without a supervisor."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import CANCELED, CONFLICT, INVALID, NOT_FOUND, TIMEOUT, Failure
from actors.supervision import ServiceSpec, ServiceState, ServiceUpdate, Status
from actors.supervision.startup import Graph, Needs, StartBatch, StopSequence

from .fakes import Fake


def _graph(requires: Mapping[str, str], refs: Mapping[str, str] | None = None, **provides: str) -> Graph:
    """Make a graph of services from texts such as ``{"a": "b c"}``; `refs` are those of other entries."""
    others = {id: tuple(text.split()) for id, text in (refs or {}).items()}
    specs = {
        id: ServiceSpec(
            id,
            Fake(id).driver,
            requires=tuple(text.split()),
            references=others.get(id, ()),
            provides=tuple(provides.get(id, "").split()),
        )
        for id, text in requires.items()
    }
    return Graph(specs, lambda id: () if id in specs else others.get(id, ()))


def _batch(graph: Graph, required: str = "", optional: str = "", running: str = "") -> StartBatch:
    roots = dict.fromkeys(required.split(), True) | dict.fromkeys(optional.split(), False)
    return StartBatch(graph, roots, lambda id: id in running.split())


def _update(id: str, status: Status, retry_in: float | None = None, failure: Failure | None = None) -> ServiceUpdate:
    return ServiceUpdate(ServiceState(id, status, retry_count=3, details="why"), retry_in, failure)


def _started(batch: StartBatch, id: str) -> list[str]:
    return batch.update(_update(id, Status.RUNNING))


def test_a_service_starts_when_all_that_it_requires_runs_and_equals_start_together_in_id_order() -> None:
    batch = _batch(_graph({"d": "c b", "c": "a", "b": "a", "a": "", "e": ""}), "e d")
    assert batch.begin() == ["a", "e"]
    assert _started(batch, "e") == []
    assert _started(batch, "a") == ["b", "c"]
    assert _started(batch, "c") == []
    assert not batch.settled
    assert _started(batch, "b") == ["d"]
    assert _started(batch, "d") == []
    assert batch.settled
    assert batch.done
    assert batch.empty
    assert batch.outcome().started == ("a", "b", "c", "d", "e")
    assert batch.outcome().ok


def test_what_runs_already_is_satisfied() -> None:
    batch = _batch(_graph({"b": "a", "a": "missing"}), "b", running="a")
    assert batch.begin() == ["b"]


def test_references_are_followed_through_entries_that_are_no_services() -> None:
    graph = _graph({"a": "", "b": "", "c": "f"}, {"a": "f", "f": "g nowhere", "g": "b f"})
    assert graph.needs("a") == Needs(("b",))
    assert graph.needs("c") == Needs(("b",))


def test_an_implicit_reference_that_leads_nowhere_is_ignored_and_a_required_one_is_missing() -> None:
    graph = _graph({"a": "nowhere f b", "b": ""}, {"a": "void", "f": "g"})
    assert graph.needs("a") == Needs(("b",), ("nowhere", "f"))


def test_a_reference_to_itself_is_ignored_and_a_requirement_is_a_circle() -> None:
    assert _graph({"a": ""}, {"a": "f", "f": "a"}).needs("a") == Needs()
    batch = _batch(_graph({"a": "a"}), "a")
    assert batch.begin() == []
    assert "a -> a" in batch.outcome().errors[0].message


def test_a_service_stands_for_what_it_provides() -> None:
    graph = _graph({"a": "child", "tree": ""}, tree="child other")
    assert graph.needs("a") == Needs(("tree",))


def test_a_circle_fails_the_whole_batch_and_is_shown() -> None:
    batch = _batch(_graph({"a": "b", "b": "c", "c": "a", "x": ""}), "a x")
    assert batch.begin() == []
    assert batch.done
    outcome = batch.outcome()
    assert [error.kind for error in outcome.errors] == [INVALID]
    assert "a -> b -> c -> a" in outcome.errors[0].message
    assert outcome.started == ()


def test_a_circle_of_services_that_run_already_harms_nobody() -> None:
    assert _batch(_graph({"a": "b", "b": "a", "x": "a"}), "x", running="a").begin() == ["x"]


def test_a_missing_requirement_blocks_the_service_and_its_dependents_and_nothing_else() -> None:
    batch = _batch(_graph({"a": "gone", "b": "a", "c": "b", "x": ""}), "c x")
    assert batch.begin() == ["x"]
    _started(batch, "x")
    assert batch.done
    outcome = batch.outcome()
    assert set(outcome.blocked) == {"a", "b", "c"}
    assert outcome.blocked["a"].kind == NOT_FOUND
    assert outcome.blocked["a"].message.startswith("service startup blocked by missing dependencies")
    assert len(outcome.errors) == 3


def test_a_blocked_optional_service_is_no_error() -> None:
    batch = _batch(_graph({"a": "gone", "x": ""}), "x", "a")
    batch.begin()
    _started(batch, "x")
    assert batch.done
    assert batch.outcome().ok
    assert set(batch.outcome().blocked) == {"a"}


def test_what_a_required_root_needs_is_required_even_if_an_optional_one_needs_it_too() -> None:
    batch = _batch(_graph({"a": "gone", "opt": "a", "req": "a"}), "req", "opt")
    batch.begin()
    assert len(batch.outcome().errors) == 2
    optional_only = _batch(_graph({"a": "gone", "opt": "a"}), "", "opt")
    optional_only.begin()
    assert optional_only.outcome().ok


@pytest.mark.parametrize("status", [Status.FAILED, Status.EXITED, Status.STOPPED])
def test_a_start_that_fails_for_good_blocks_only_the_dependents(status: Status) -> None:
    batch = _batch(_graph({"a": "", "b": "a", "c": "b", "x": ""}), "c x")
    assert batch.begin() == ["a", "x"]
    assert batch.update(_update("a", status)) == []
    assert not batch.done
    _started(batch, "x")
    assert batch.done
    outcome = batch.outcome()
    assert set(outcome.failed) == {"a"}
    assert set(outcome.blocked) == {"b", "c"}
    assert outcome.failed["a"].kind == {Status.FAILED: TIMEOUT}.get(status, CANCELED)


def test_a_required_service_that_is_retrying_keeps_the_batch_open_but_settled() -> None:
    batch = _batch(_graph({"a": "", "b": "a"}), "b")
    batch.begin()
    assert not batch.settled
    batch.update(_update("a", Status.FAILED, retry_in=1.0))
    assert batch.settled
    assert not batch.done
    assert batch.outcome().retrying == ("a", "b")
    batch.update(_update("a", Status.STARTING))
    assert _started(batch, "a") == ["b"]


def test_optional_services_that_are_retrying_do_not_hold_the_batch_up_and_still_start_their_dependents() -> None:
    batch = _batch(_graph({"a": "", "b": "a", "x": ""}), "x", "b")
    batch.begin()
    _started(batch, "x")
    assert not batch.done
    batch.update(_update("a", Status.FAILED, retry_in=1.0))
    assert batch.done
    assert not batch.empty
    assert _started(batch, "a") == ["b"]


def test_a_service_that_runs_and_ends_at_once_has_started() -> None:
    batch = _batch(_graph({"a": "", "b": "a"}), "b")
    batch.begin()
    assert _started(batch, "a") == ["b"]
    assert batch.update(_update("a", Status.EXITED)) == []
    assert "a" in batch.outcome().started


def test_a_batch_that_is_canceled_tells_what_it_had_begun() -> None:
    batch = _batch(_graph({"a": "", "b": "a"}), "b")
    batch.begin()
    assert batch.cancel("stopping") == ["a"]
    assert batch.empty
    assert batch.outcome().errors[0].kind == CANCELED


def test_levels_stop_dependents_first() -> None:
    graph = _graph({"a": "", "b": "a", "c": "a", "d": "b c", "x": ""})
    assert graph.stop_levels("abcdx") == [["d", "x"], ["b", "c"], ["a"]]
    assert graph.stop_levels("ad") == [["a", "d"]]
    assert graph.dependents(["b"]) == {"b", "d"}


def test_levels_end_even_in_a_circle() -> None:
    assert _graph({"a": "b", "b": "a", "c": "a"}).stop_levels("abc") == [["c"], ["a", "b"]]


def test_a_level_waits_for_the_one_before_and_a_failed_stop_does_not_hold_it_up() -> None:
    sequence = StopSequence([["d"], ["b", "c"], ["a"]])
    rest = {"c"}
    assert sequence.next(rest.__contains__) == ["d"]
    assert sequence.next(rest.__contains__) == []
    sequence.update(_update("d", Status.STOPPING))
    sequence.update(_update("b", Status.STOPPED))
    assert sequence.next(rest.__contains__) == []
    sequence.update(_update("d", Status.FAILED))
    assert sequence.next(rest.__contains__) == ["b"]
    sequence.update(_update("b", Status.EXITED))
    assert sequence.next(rest.__contains__) == ["a"]
    assert not sequence.done
    sequence.update(_update("a", Status.STOPPED))
    assert sequence.done
    assert sequence.failed == {"d": "why"}


def test_removing_what_a_running_service_requires_is_a_conflict_and_an_implicit_reference_is_none() -> None:
    graph = _graph({"a": "", "b": "a", "c": ""}, {"c": "a"})
    (conflict,) = graph.removal_conflicts(["a"], lambda id: True)
    assert conflict.kind == CONFLICT
    assert "b requires it" in conflict.message
    assert graph.removal_conflicts(["a", "b"], lambda id: True) == []
    assert graph.removal_conflicts(["a"], lambda id: False) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30), st.data())
def test_in_any_graph_nothing_starts_before_what_it_needs_nor_stops_after_it(
    edges: list[tuple[int, int]], data: st.DataObject
) -> None:
    needs = {str(n): sorted({str(low) for high, low in edges if high == n and low < n}) for n in range(10)}
    graph = _graph({id: " ".join(needed) for id, needed in needs.items()})
    batch = _batch(graph, " ".join(needs))
    starting, running = batch.begin(), list[str]()
    while starting:
        id = data.draw(st.sampled_from(starting))
        assert set(needs[id]) <= set(running)
        running.append(id)
        starting.remove(id)
        starting += _started(batch, id)
    assert sorted(running) == sorted(needs)
    stopped: set[str] = set()
    for level in graph.stop_levels(needs):
        for id in level:
            assert {user for user, needed in needs.items() if id in needed} <= stopped
        stopped.update(level)
    assert stopped == set(needs)
