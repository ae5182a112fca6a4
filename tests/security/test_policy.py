"""Policies: what matches, what conditions compare, and the verdict of several."""

from __future__ import annotations

from typing import Any

import pytest

from actors.security import Policy, Query, Verdict, combine
from actors.security.policy import Condition

QUERY = Query(
    "ana",
    "process.spawn",
    "shop:ledger",
    {"role": "clerk", "level": 3, "tags": ["a", "b"], "team": {"name": "blue"}, "owner": "ana"},
    {"host": "shop:procs", "amount": 10.5, "flag": True},
)


def _policy(effect: str = "allow", actions: Any = ("*",), resources: Any = ("*",), *conditions: Condition) -> Policy:
    return Policy("p", tuple(actions), tuple(resources), Verdict(effect), conditions)


@pytest.mark.parametrize(
    ("actions", "resources", "matches"),
    [
        (["*"], ["*"], True),
        (["process.spawn"], ["shop:ledger"], True),
        (["process.*"], ["shop:*"], True),
        (["*.spawn"], ["*led*r"], True),
        (["funcs.call", "process.spawn"], ["x", "shop:ledger"], True),
        (["process"], ["*"], False),
        (["process.?pawn"], ["*"], False),
        (["*"], ["shop:ledge"], False),
        (["*"], [], False),
    ],
)
def test_actions_and_resources_match_with_stars(actions: list[str], resources: list[str], matches: bool) -> None:
    expected = Verdict.ALLOW if matches else Verdict.UNDEFINED
    assert _policy("allow", actions, resources).evaluate(QUERY) is expected


@pytest.mark.parametrize(
    ("field", "operator", "value", "holds"),
    [
        ("actor.id", "eq", "ana", True),
        ("actor.id", "ne", "ana", False),
        ("action", "eq", "process.spawn", True),
        ("resource", "matches", "^shop:", True),
        ("resource", "nmatches", "^shop:", False),
        ("actor.meta.level", "gt", 2, True),
        ("actor.meta.level", "gte", 3, True),
        ("actor.meta.level", "lt", 3, False),
        ("actor.meta.level", "lte", 3, True),
        ("actor.meta.level", "gt", "2", False),
        ("meta.amount", "lt", 11, True),
        ("meta.flag", "eq", True, True),
        ("meta.flag", "eq", 1, False),
        ("meta.flag", "gt", 0, False),
        ("actor.meta.role", "in", ["boss", "clerk"], True),
        ("actor.meta.role", "nin", ["boss", "clerk"], False),
        ("actor.meta.role", "in", "a clerk", False),
        ("actor.meta.tags", "contains", "b", True),
        ("actor.meta.tags", "ncontains", "b", False),
        ("meta.host", "contains", "procs", True),
        ("actor.meta.team.name", "eq", "blue", True),
        ("actor.meta.role", "exists", None, True),
        ("actor.meta.gone", "exists", None, False),
        ("actor.meta.gone", "nexists", None, True),
        ("actor.meta.gone", "eq", "x", False),
        ("actor.meta.gone", "ne", "x", True),
        ("actor.meta.gone.deeper", "nexists", None, True),
    ],
)
def test_a_condition_compares_a_field_with_a_value(field: str, operator: str, value: Any, holds: bool) -> None:
    assert Condition(field, operator, value).holds(QUERY) is holds
    expected = Verdict.DENY if holds else Verdict.UNDEFINED
    assert _policy("deny", ["*"], ["*"], Condition(field, operator, value)).evaluate(QUERY) is expected


def test_a_condition_may_compare_two_fields() -> None:
    assert Condition("actor.meta.owner", "eq", value_from="actor.id").holds(QUERY)
    assert not Condition("actor.meta.owner", "eq", value_from="meta.gone").holds(QUERY)


def test_all_conditions_must_hold() -> None:
    holds, fails = Condition("actor.id", "eq", "ana"), Condition("actor.id", "eq", "bob")
    assert _policy("allow", ["*"], ["*"], holds, holds).evaluate(QUERY) is Verdict.ALLOW
    assert _policy("allow", ["*"], ["*"], holds, fails).evaluate(QUERY) is Verdict.UNDEFINED


@pytest.mark.parametrize(
    ("effects", "verdict"),
    [
        ([], "undefined"),
        (["none"], "undefined"),
        (["none", "allow"], "allow"),
        (["allow", "deny"], "deny"),
        (["deny", "allow", "none"], "deny"),
    ],
)
def test_any_deny_wins_then_any_allow(effects: list[str], verdict: str) -> None:
    policies = [_policy("allow", []) if effect == "none" else _policy(effect) for effect in effects]
    assert combine(policies, QUERY) == verdict
