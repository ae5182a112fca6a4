"""The types of fields that the kinds are made of."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from registry import Problem, complete, parse_duration
from registry.durations import PATTERN

A_DURATION = "a duration such as '500ms', '2s' or '1h30m'"


@dataclass(frozen=True, slots=True)
class Expect:
    """Says in words what a field takes, for messages."""

    text: str


def mistake(expected: str) -> PydanticCustomError:
    """Make the error of a validator: the message gets ``expected …``."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected})


class Spec(BaseModel):
    """The base of all entry models: nothing is converted, a null counts as missing, and nothing can be changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            return {key: item for key, item in value.items() if item is not None}
        return value

    @classmethod
    def faults(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield what types alone do not tell; `data` may be wrong in any other way as well."""
        return iter(())


def _duration(
    minimum: float | None = 0.0, *, exclusive: bool = False, zero: float | None = None
) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        try:
            seconds = parse_duration(value)
        except ValueError:
            raise mistake(A_DURATION) from None
        if exclusive and seconds <= 0:
            raise mistake("a duration above 0")
        if minimum is not None and seconds < minimum:
            raise mistake("a duration of at least 0")
        return zero if zero is not None and seconds == 0 else seconds

    return read


_SCHEMA = WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["500ms", "2s", "1h30m"]})

Duration = Annotated[float, BeforeValidator(_duration()), _SCHEMA, Expect(A_DURATION)]
"""A duration text of at least 0; float seconds."""

PositiveDuration = Annotated[float, BeforeValidator(_duration(exclusive=True)), _SCHEMA, Expect(A_DURATION)]
"""A duration text above 0; float seconds."""

DurationOr1s = Annotated[float, BeforeValidator(_duration(zero=1.0)), _SCHEMA, Expect(A_DURATION)]
DurationOr10s = Annotated[float, BeforeValidator(_duration(zero=10.0)), _SCHEMA, Expect(A_DURATION)]
DurationOr30s = Annotated[float, BeforeValidator(_duration(zero=30.0)), _SCHEMA, Expect(A_DURATION)]
DurationOr90s = Annotated[float, BeforeValidator(_duration(zero=90.0)), _SCHEMA, Expect(A_DURATION)]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise mistake("a text that is not empty")
    return value


def _completed(value: str, info: ValidationInfo) -> str:
    if not value.strip():
        raise mistake("the id of an entry")
    return complete(value, (info.context or {}).get("namespace", ""))


def _positive(default: int) -> Callable[[int], int]:
    return lambda value: value if value > 0 else default


Text = Annotated[str, AfterValidator(_not_blank), Expect("a text")]
"""A text that is not empty."""

Ref = Annotated[str, AfterValidator(_completed), Expect("the id of an entry")]
"""A reference to an entry; a bare name gets the namespace of the entry that refers."""

IntOr20 = Annotated[int, AfterValidator(_positive(20)), Expect("an integer")]
IntOr1000 = Annotated[int, AfterValidator(_positive(1000)), Expect("an integer")]
IntOr10000 = Annotated[int, Field(ge=0), AfterValidator(_positive(10000)), Expect("an integer")]


def as_list(value: Any) -> Any:
    """Let a single text stand for a list of it."""
    return [value] if isinstance(value, str) else value
