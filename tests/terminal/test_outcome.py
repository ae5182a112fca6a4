"""What the end of a terminal's process means: exit codes and last words."""

from __future__ import annotations

import math

import pytest

from actors.errors import CANCELED, Failure
from actors.terminal import Outcome, outcome_of


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, 0),
        (True, 0),
        (False, 1),
        (0, 0),
        (3, 3),
        (3.9, 3),
        (-0.5, 0),
        (-1, 1),
        (255, 255),
        (256, 255),
        (1e300, 255),
        (math.nan, 1),
        (math.inf, 1),
        (-math.inf, 1),
    ],
)
def test_a_value_becomes_an_exit_code_without_accidental_zeros(value: object, code: int) -> None:
    assert outcome_of(value, None) == Outcome(code)


def test_a_text_is_printed_and_means_success() -> None:
    assert outcome_of("done", None) == Outcome(0, out="done")
    assert outcome_of(b"\xff", None) == Outcome(0, out=b"\xff")


def test_a_failure_is_told_with_its_stack() -> None:
    failure = Failure("main.lua:3: boom", stack="main.lua:3 in work\nmain.lua:7")
    assert outcome_of(None, failure) == Outcome(1, err="main.lua:3: boom\n  main.lua:3 in work\n  main.lua:7")


def test_a_process_that_the_stop_canceled_says_nothing() -> None:
    canceled = Failure("host stopped: process canceled", CANCELED)
    assert outcome_of(None, canceled, stopping=True) == Outcome(1)
    assert outcome_of(None, canceled).err == "host stopped: process canceled"
