"""The retry options of calls (spec lua-api.md §7), in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.conftest import FunctionWorld

FLAKY = """
local calls = 0
return { run = function(kind, succeed_at, retryable)
  calls = calls + 1
  if calls >= succeed_at then return calls end
  return nil, errors.new({message = "attempt " .. calls, kind = kind, retryable = retryable})
end }
"""


@pytest.fixture
def world() -> FunctionWorld:
    world = FunctionWorld()
    world.script("app:flaky", FLAKY, kind="function.lua", method="run")
    return world


def call(world: FunctionWorld, options: dict[str, Any], *args: Any) -> Any:
    """Call the flaky function: [value, kind and message of the error, seconds that it took]."""
    return world.caller(
        """
        local options = ...
        local start = time.now()
        local v, err = funcs.new():with_options(options):call("app:flaky", select(2, ...))
        local kind, message = err and err:kind() or false, err and err:message() or false
        return {v or false, kind, message, time.now():sub(start):seconds()}
        """,
        options,
        *args,
    )


def retry(**fields: Any) -> dict[str, Any]:
    return {"retry": {"jitter": 0, **fields}}


def test_without_a_retry_option_a_call_is_tried_once(world: FunctionWorld) -> None:
    assert call(world, {"other": 1}, "Unavailable", 2) == [False, "Unavailable", "attempt 1", 0]


@pytest.mark.parametrize("attempts", [0, 1])
def test_up_to_one_attempt_means_no_retry(world: FunctionWorld, attempts: int) -> None:
    assert call(world, retry(max_attempts=attempts), "Unavailable", 2)[2] == "attempt 1"


def test_a_call_is_tried_again_until_it_succeeds_with_growing_delays(world: FunctionWorld) -> None:
    assert call(world, retry(max_attempts=4), "Unavailable", 4) == [4, False, False, pytest.approx(0.1 + 0.2 + 0.4)]


def test_the_last_error_comes_when_all_attempts_failed(world: FunctionWorld) -> None:
    assert call(world, retry(max_attempts=3), "Unavailable", 9) == [
        False,
        "Unavailable",
        "attempt 3",
        pytest.approx(0.3),
    ]


@pytest.mark.parametrize("delay", [500, "500ms"])
def test_delays_are_milliseconds_or_texts_and_the_first_retry_waits_the_initial_one(
    world: FunctionWorld, delay: Any
) -> None:
    assert call(world, retry(max_attempts=2, initial_delay=delay), "Timeout", 2) == [2, False, False, 0.5]


def test_the_factor_and_the_cap_shape_the_delays(world: FunctionWorld) -> None:
    options = retry(max_attempts=5, initial_delay="1s", backoff_factor=10, max_delay="20s")
    assert call(world, options, "Unavailable", 5)[3] == 1 + 10 + 20 + 20


def test_the_cap_is_ten_seconds_unless_it_is_given(world: FunctionWorld) -> None:
    assert call(world, retry(max_attempts=3, initial_delay="8s"), "Unavailable", 3)[3] == 8 + 10


def test_jitter_varies_a_delay_by_its_share_to_both_sides(world: FunctionWorld) -> None:
    options = {"retry": {"max_attempts": 40, "initial_delay": "1s", "backoff_factor": 1, "jitter": 0.5}}
    total = call(world, options, "Unavailable", 40)[3]
    assert 39 * 0.5 <= total <= 39 * 1.5
    assert total != 39


def test_a_retryable_of_false_ends_the_attempts(world: FunctionWorld) -> None:
    assert call(world, retry(max_attempts=3), "Unavailable", 3, False)[2] == "attempt 1"
    assert call(world, retry(max_attempts=3, retry_kinds=["Unavailable"]), "Unavailable", 9, False)[2] == "attempt 2"


@pytest.mark.parametrize("kind", ["Invalid", "PermissionDenied", "Internal", "Canceled"])
def test_what_trying_again_does_not_mend_is_not_tried_again(world: FunctionWorld, kind: str) -> None:
    assert call(world, retry(max_attempts=3), kind, 3)[2] == "attempt 1"


@pytest.mark.parametrize(
    "kind", ["NotFound", "AlreadyExists", "Unavailable", "Conflict", "Timeout", "RateLimited", "Odd"]
)
def test_every_other_kind_is_tried_again(world: FunctionWorld, kind: str) -> None:
    assert call(world, retry(max_attempts=3), kind, 3)[0] == 3


def test_skip_kinds_are_not_tried_again(world: FunctionWorld) -> None:
    assert call(world, retry(max_attempts=3, skip_kinds=["Conflict"]), "Conflict", 3)[2] == "attempt 1"


def test_with_retry_kinds_only_those_are_tried_again(world: FunctionWorld) -> None:
    options = retry(max_attempts=3, retry_kinds=["Internal"])
    assert call(world, options, "Internal", 2)[0] == 2
    assert call(world, options, "Unavailable", 9)[2] == "attempt 3"


def test_kinds_may_be_written_as_the_names_of_constants(world: FunctionWorld) -> None:
    assert call(world, retry(max_attempts=2, retry_kinds=["INTERNAL"]), "Internal", 2)[0] == 2


def test_a_cancellation_is_never_tried_again(world: FunctionWorld) -> None:
    assert call(world, retry(max_attempts=3, retry_kinds=["Canceled"]), "Canceled", 3)[2] == "attempt 1"


def test_the_retry_of_meta_options_holds_unless_the_call_brings_its_own(world: FunctionWorld) -> None:
    options = {"retry": {"max_attempts": 3, "jitter": 0}}
    world.script("app:flaky", FLAKY, kind="function.lua", method="run", options=options)
    assert call(world, {"x": 1}, "Unavailable", 3) == [3, False, False, pytest.approx(0.3)]
    assert call(world, {"retry": {"max_attempts": 0}}, "Unavailable", 9)[2] == "attempt 4"


def test_each_attempt_gets_its_own_copy_of_the_arguments(world: FunctionWorld) -> None:
    world.script(
        "app:flaky",
        """
        local calls = 0
        return { run = function(t)
          calls = calls + 1
          t.n = t.n + 1
          if calls < 3 then return nil, errors.new({message = "again", kind = errors.UNAVAILABLE}) end
          return t.n
        end }
        """,
        kind="function.lua",
        method="run",
    )
    assert call(world, retry(max_attempts=3), {"n": 0})[0] == 1


def test_the_timeout_holds_for_all_attempts_together(world: FunctionWorld) -> None:
    options = {
        "timeout": "1s",
        "retry": {"max_attempts": 9, "initial_delay": "400ms", "backoff_factor": 1, "jitter": 0},
    }
    assert call(world, options, "Unavailable", 9)[1:] == ["Timeout", "app:flaky did not return within 1 s", 1]


def test_a_caller_that_ends_between_attempts_leaves_no_call_behind(world: FunctionWorld) -> None:
    world.caller(
        """
        local patient = funcs.new():with_options({retry = {max_attempts = 99, initial_delay = "1s"}})
        patient:async("app:flaky", "Unavailable", 99)
        time.sleep("1500ms")
        return 1
        """
    )
    world.advance(10)
    assert world.caller('return (funcs.call("app:flaky", "Unavailable", 0))') == 3


def test_every_failed_attempt_that_is_followed_by_another_is_logged(world: FunctionWorld) -> None:
    call(world, retry(max_attempts=3), "Unavailable", 9)
    told = [message for level, name, message, _ in world.logs if name == "funcs"]
    assert told == [
        "attempt 1 of 3 to call app:flaky failed: attempt 1",
        "attempt 2 of 3 to call app:flaky failed: attempt 2",
    ]
