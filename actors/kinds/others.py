"""Python functions, stores and policies (spec registry.md §10.10, §11)."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from actors.kinds.fields import Duration, Expect, IntOr10000, Ref, Spec, Text, as_list, mistake
from actors.kinds.lifecycle import ServiceSpec
from registry import Problem
from registry.faults import one_of, shown

_TARGET: Final = re.compile(r"python://[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
A_TARGET: Final = "'python://package.module:name'"


def _target(value: str) -> str:
    if not _TARGET.fullmatch(value):
        raise mistake(A_TARGET)
    return value


class ThreadPoolSpec(Spec):
    """The ``pool:`` block of a Python function; 0 means 16 threads."""

    workers: int = Field(default=0, ge=0)


class FunctionPythonSpec(Spec):
    """``function.python``."""

    source: Annotated[str, AfterValidator(_target), Expect(A_TARGET)]
    pool: ThreadPoolSpec = ThreadPoolSpec.model_construct()


class ProcessPythonSpec(Spec):
    """``process.python``."""

    source: Annotated[str, AfterValidator(_target), Expect(A_TARGET)]


class StoreMemorySpec(ServiceSpec):
    """``store.memory``; a clean-up interval of 0 means never."""

    max_size: IntOr10000 = 10_000
    cleanup_interval: Duration = 300.0


class ConditionSpec(Spec):
    """One condition of a policy: a field compared with a value or with another field."""

    field: Text
    operator: Literal[
        "eq",
        "ne",
        "lt",
        "gt",
        "lte",
        "gte",
        "in",
        "nin",
        "exists",
        "nexists",
        "contains",
        "ncontains",
        "matches",
        "nmatches",
    ]
    value: Any = None
    value_from: str | None = None


class PolicySpec(Spec):
    """The ``policy:`` block; `actions` and `resources` may hold ``*``."""

    actions: Annotated[list[str], BeforeValidator(as_list), Expect("a text or a list of texts")]
    resources: Annotated[list[str], BeforeValidator(as_list), Expect("a text or a list of texts")]
    effect: Literal["allow", "deny"]
    conditions: list[ConditionSpec] = Field(default_factory=list)


_FIELD: Final = re.compile(r"actor\.id|action|resource|(actor\.)?meta\..+")


class SecurityPolicySpec(Spec):
    """``security.policy``."""

    policy: Annotated[PolicySpec, Expect("a map with actions, resources and effect")]
    groups: list[Ref] = Field(default_factory=list)

    @classmethod
    def faults(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield conditions on fields that do not exist, or with two values."""
        policy = data.get("policy")
        conditions = policy.get("conditions") if isinstance(policy, dict) else None
        for index, condition in enumerate(conditions if isinstance(conditions, list) else ()):
            if not isinstance(condition, dict):
                continue
            field = condition.get("field")
            if isinstance(field, str) and field and not _FIELD.fullmatch(field):
                expected = one_of(["actor.id", "actor.meta.*", "action", "resource", "meta.*"])
                yield Problem(("policy", "conditions", index, "field"), shown(field), expected)
            if condition.get("value") is not None and condition.get("value_from") is not None:
                path = ("policy", "conditions", index, "value_from")
                yield Problem(path, "value_from beside value", "one of the two")
