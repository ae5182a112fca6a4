"""One `security.policy`, and the verdict of several of them (spec registry.md §11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from actors.kinds.others import SecurityPolicySpec

_MISSING: Final = object()


class Verdict(StrEnum):
    """What a policy or a scope says."""

    ALLOW = "allow"
    DENY = "deny"
    UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True)
class Query:
    """Who wants to do what with which resource; the metas are plain data."""

    actor: str
    action: str
    resource: str
    actor_meta: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """Return what a condition calls ``actor.id``, ``actor.meta.x``, ``action``, ``resource`` or ``meta.x``."""
        if name == "actor.id":
            return self.actor
        if name == "action":
            return self.action
        if name == "resource":
            return self.resource
        for prefix, meta in (("actor.meta.", self.actor_meta), ("meta.", self.meta)):
            if name.startswith(prefix):
                return _at(meta, name.removeprefix(prefix).split("."))
        return _MISSING


@dataclass(frozen=True, slots=True)
class Condition:
    """A field compared with a value, or with another field."""

    field: str
    operator: str
    value: Any = None
    value_from: str | None = None

    def holds(self, query: Query) -> bool:
        """Tell whether it holds. The negated operators say the opposite of the others, also of what is missing.

        Raises:
            re.error: of a pattern that is none.
        """
        left = query.value(self.field)
        right = query.value(self.value_from) if self.value_from is not None else self.value
        positive, negated = _OPERATORS[self.operator]
        return (left is not _MISSING and right is not _MISSING and positive(left, right)) is not negated


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed or denied: if an action, a resource and all conditions match, the effect is the verdict."""

    id: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    effect: Verdict
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def of(cls, id: str, spec: SecurityPolicySpec) -> Policy:
        """Make it from an entry."""
        policy = spec.policy
        conditions = tuple(Condition(c.field, c.operator, c.value, c.value_from) for c in policy.conditions)
        return cls(id, tuple(policy.actions), tuple(policy.resources), Verdict(policy.effect), conditions)

    def evaluate(self, query: Query) -> Verdict:
        """Return the effect if everything matches, else UNDEFINED."""
        if (
            any(_matches(pattern, query.action) for pattern in self.actions)
            and any(_matches(pattern, query.resource) for pattern in self.resources)
            and all(condition.holds(query) for condition in self.conditions)
        ):
            return self.effect
        return Verdict.UNDEFINED


def combine(policies: Iterable[Policy], query: Query) -> Verdict:
    """Return what a scope says: any deny, else any allow, else UNDEFINED."""
    verdict = Verdict.UNDEFINED
    for policy in policies:
        said = policy.evaluate(query)
        if said is Verdict.DENY:
            return said
        if said is Verdict.ALLOW:
            verdict = said
    return verdict


def _matches(pattern: str, text: str) -> bool:
    return pattern == "*" or pattern == text or ("*" in pattern and _wildcard(pattern).fullmatch(text) is not None)


@lru_cache(maxsize=1024)
def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return _MISSING
        value = value[step]
    return _MISSING if value is None else value


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        if isinstance(left, bool) or isinstance(right, bool):
            return False
        alike = isinstance(left, str) and isinstance(right, str)
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        return (alike or numbers) and compare(left, right)

    return ordered


def _equal(left: Any, right: Any) -> bool:
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _one_of(left: Any, right: Any) -> bool:
    return isinstance(right, Sequence) and not isinstance(right, str) and any(_equal(left, item) for item in right)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _one_of(right, left)


def _like(left: Any, right: Any) -> bool:
    return isinstance(left, str) and isinstance(right, str) and re.search(right, left) is not None


def _there(left: Any, right: Any) -> bool:
    return True


# operator -> the comparison, and whether its opposite is meant
_OPERATORS: Final[dict[str, tuple[Callable[[Any, Any], bool], bool]]] = {
    "eq": (_equal, False),
    "ne": (_equal, True),
    "lt": (_ordered(lambda left, right: left < right), False),
    "gt": (_ordered(lambda left, right: left > right), False),
    "lte": (_ordered(lambda left, right: left <= right), False),
    "gte": (_ordered(lambda left, right: left >= right), False),
    "in": (_one_of, False),
    "nin": (_one_of, True),
    "exists": (_there, False),
    "nexists": (_there, True),
    "contains": (_contains, False),
    "ncontains": (_contains, True),
    "matches": (_like, False),
    "nmatches": (_like, True),
}
