import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry import Entry
from registry.dependencies import Dependencies, dependency_order, references


def entry(entry_id: str, data: Any = None, meta: Any = None, kind: str = "k") -> Entry:
    return Entry(entry_id, kind, meta or {}, data or {})


@pytest.mark.parametrize(
    ("data", "meta", "wanted"),
    [
        ({"host": "h", "process": "x:p", "client": "c"}, {}, {"a:h", "x:p", "a:c"}),
        ({"storages": ["s1", "x:s2"]}, {}, {"a:s1", "x:s2"}),
        ({"imports": {"l": "a:lib", "j": "json"}}, {}, {"a:lib"}),
        ({"lifecycle": {"requires": ["r"], "depends_on": ["x:d"]}}, {}, {"a:r", "x:d"}),
        ({"lifecycle": {"security": {"policies": ["p"], "groups": ["g"]}}}, {}, {"a:p", "a:g"}),
        ({"other": {"depends_on": ["o"]}}, {}, {"a:o"}),
        ({"children": ["c1", {"id": "x:c2", "restart": "transient"}]}, {}, {"a:c1", "x:c2"}),
        ({"contracts": [{"contract": "k", "methods": {"m": "f"}}]}, {}, {"a:k", "a:f"}),
        ({"dead_letter": {"queue": "q"}, "queue": "q2"}, {}, {"a:q", "a:q2"}),
        ({"groups": ["g"], "middleware": "m"}, {}, {"a:g", "a:m"}),
        ({}, {"parent": "p", "depends_on": ["d"], "groups": {"x": "g"}, "router": "r"}, {"a:p", "a:d", "a:g", "a:r"}),
        ({}, {"temporal": {"activity": {"worker": "w"}, "workflow": {"worker": "x:w"}}}, {"a:w", "x:w"}),
        ({"host": {"workers": 2}, "process": 3, "free": "text"}, {"title": "x"}, set()),
        ([1, 2], {}, set()),
    ],
)
def test_references_are_found_where_the_spec_lists_them_and_completed(data: Any, meta: Any, wanted: set[str]) -> None:
    assert set(references(Entry("a:e", "k", meta, data))) == wanted


def test_variables_in_placeholders_and_env_fields_are_dependencies() -> None:
    entries = [
        entry("a:e", {"x": ["${env:PUB}", "${env:byid}"], "auth": {"api_key_env": "KEY"}}, {"token_env": "a:tok"}),
        entry("a:v1", {"variable": "PUB", "storage": "s"}, kind="env.variable"),
        entry("a:byid", {"storage": "s"}, kind="env.variable"),
        entry("a:v2", {"variable": "KEY", "storage": "s"}, kind="env.variable"),
        entry("a:tok", {"storage": "s"}, kind="env.variable"),
        entry("a:s", kind="env.storage.memory"),
    ]
    scan = Dependencies({item.id: item for item in entries})
    assert scan.of(entries[0]) == {"a:v1", "a:byid", "a:v2", "a:tok"}
    assert scan.of(entries[1]) == {"a:s"}


def test_order_puts_what_is_needed_first_and_ties_by_id() -> None:
    entries = [entry("a:z"), entry("a:a", {"host": "m"}), entry("a:m", {"host": "z"}), entry("a:b"), entry("a:n")]
    by_id = {item.id: item for item in entries}
    assert dependency_order(by_id) == ["a:b", "a:n", "a:z", "a:m", "a:a"]
    assert dependency_order(by_id, ["a:a", "a:z"]) == ["a:a", "a:z"]


def test_a_cycle_falls_back_to_id_order_and_stays_between_its_neighbours() -> None:
    entries = [
        entry("a:first", {"host": "c2"}),
        entry("a:c1", {"host": "c2"}),
        entry("a:c2", {"host": "c1", "process": "zlast"}),
        entry("a:zlast"),
        entry("a:self", {"host": "self"}),
    ]
    assert dependency_order({item.id: item for item in entries}) == ["a:self", "a:zlast", "a:c1", "a:c2", "a:first"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_without_cycles_everything_comes_after_what_it_needs(seed: int, size: int) -> None:
    rng = random.Random(seed)
    names = [f"n{index}" for index in range(size)]
    rng.shuffle(names)
    entries = {}
    for index, name in enumerate(names):
        needs = rng.sample(names[:index], rng.randint(0, index))
        entries[f"a:{name}"] = entry(f"a:{name}", {"storages": needs})
    order = dependency_order(entries)
    assert sorted(order) == sorted(entries)
    for entry_id, item in entries.items():
        assert all(order.index(f"a:{need}") < order.index(entry_id) for need in item.data["storages"])
