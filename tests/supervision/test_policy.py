"""The arithmetic of restarts, as the tables of the spec have it."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.supervision import Lifecycle, RestartPolicy, Startup


@pytest.mark.parametrize(
    ("failures", "base", "low", "high"),
    [
        (1, 1.0, 0.9, 1.1),
        (2, 2.0, 1.8, 2.2),
        (3, 4.0, 3.6, 4.4),
        (4, 8.0, 7.2, 8.8),
        (5, 16.0, 14.4, 17.6),
        (6, 32.0, 28.8, 35.2),
        (7, 64.0, 57.6, 70.4),
        (8, 90.0, 81.0, 99.0),
        (9, 90.0, 81.0, 99.0),
        (5000, 90.0, 81.0, 99.0),
    ],
)
def test_the_default_delays_are_those_of_the_spec(failures: int, base: float, low: float, high: float) -> None:
    policy = RestartPolicy()
    assert policy.base_delay(failures) == base
    drawn = [policy.delay(failures, Random(seed)) for seed in range(300)]
    assert low <= min(drawn) < base < max(drawn) <= high


@pytest.mark.parametrize(
    ("policy", "failures", "expected"),
    [
        (RestartPolicy(initial_delay=0.2, jitter=0.0), 1, 0.2),
        (RestartPolicy(initial_delay=0.2, jitter=0.0), 3, 0.8),
        (RestartPolicy(initial_delay=100.0, max_delay=5.0, jitter=0.0), 1, 5.0),
        (RestartPolicy(backoff_factor=0.0, jitter=0.0), 9, 1.0),
        (RestartPolicy(backoff_factor=-3.0, jitter=0.0), 9, 1.0),
        (RestartPolicy(backoff_factor=1.0, jitter=0.0), 9, 1.0),
        (RestartPolicy(backoff_factor=0.5, jitter=0.0), 3, 0.25),
        (RestartPolicy(backoff_factor=1.5, jitter=0.0), 3, 2.25),
        (RestartPolicy(backoff_factor=1e300, jitter=0.0), 1000, 90.0),
    ],
)
def test_delays_without_jitter_are_exact(policy: RestartPolicy, failures: int, expected: float) -> None:
    assert policy.delay(failures, Random(1)) == pytest.approx(expected, rel=1e-12)


def test_the_same_seed_gives_the_same_delays() -> None:
    policy = RestartPolicy()
    first, second = Random(42), Random(42)
    assert [policy.delay(n, first) for n in range(1, 20)] == [policy.delay(n, second) for n in range(1, 20)]


@given(
    failures=st.integers(1, 10_000),
    initial=st.floats(0.001, 1e6),
    cap=st.floats(0.001, 1e6),
    factor=st.floats(-10, 1e6),
    jitter=st.floats(0, 1),
    seed=st.integers(),
)
def test_a_delay_is_within_the_jitter_of_its_capped_base(
    failures: int, initial: float, cap: float, factor: float, jitter: float, seed: int
) -> None:
    policy = RestartPolicy(initial, cap, factor, jitter)
    base, delay = policy.base_delay(failures), policy.delay(failures, Random(seed))
    assert 0 <= base <= cap
    assert base * (1 - jitter) * (1 - 1e-9) <= delay <= base * (1 + jitter) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("max_attempts", "failures", "gives_up"),
    [
        (0, 1, False),
        (0, 10**6, False),
        (1, 1, True),
        (2, 1, False),
        (2, 2, True),
        (4, 3, False),
        (4, 4, True),
        (4, 5, True),
    ],
)
def test_the_last_attempt_is_the_one_of_max_attempts(max_attempts: int, failures: int, gives_up: bool) -> None:
    assert RestartPolicy(max_attempts=max_attempts).gives_up(failures) is gives_up


def test_zero_means_not_given_for_delays_and_time_outs_only() -> None:
    policy = RestartPolicy(initial_delay=0, max_delay=0, jitter=0, max_attempts=0)
    assert (policy.initial_delay, policy.max_delay, policy.jitter, policy.max_attempts) == (1.0, 90.0, 0, 0)
    lifecycle = Lifecycle(start_timeout=0, stop_timeout=0, stable_threshold=0)
    assert (lifecycle.start_timeout, lifecycle.stop_timeout, lifecycle.stable_threshold) == (10.0, 10.0, 0)


@pytest.mark.parametrize("field", ["initial_delay", "max_delay", "jitter", "max_attempts"])
def test_a_negative_field_of_a_policy_is_refused_by_name(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}: got -1"):
        RestartPolicy(**{field: -1})


@pytest.mark.parametrize("field", ["start_timeout", "stop_timeout", "stable_threshold"])
@pytest.mark.parametrize("value", [-1, math.inf, math.nan])
def test_a_duration_that_is_none_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field}: got"):
        Lifecycle(**{field: value})


def test_the_defaults_of_a_lifecycle_are_those_of_the_spec() -> None:
    lifecycle = Lifecycle()
    assert not lifecycle.auto_start
    assert lifecycle.startup is Startup.REQUIRED
    assert (lifecycle.start_timeout, lifecycle.stop_timeout, lifecycle.stable_threshold) == (10.0, 10.0, 5.0)
    assert lifecycle.restart == RestartPolicy(1.0, 90.0, 2.0, 0.1, 0)
