from __future__ import annotations

import pytest

from benchmarks.units import Unit


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [
        (Unit.MESSAGES, 4_100_000.0, "4.10 M/s"),
        (Unit.MESSAGES, 78_000_000.0, "78.0 M/s"),
        (Unit.CALLS, 950.0, "950 /s"),
        (Unit.CALLS, 12_345.0, "12.3 k/s"),
        (Unit.SECONDS, 1.5, "1.50 s"),
        (Unit.SECONDS, 0.0123, "12.3 ms"),
        (Unit.SECONDS, 1.2e-6, "1.20 µs"),
        (Unit.SECONDS, 5e-9, "5.00 ns"),
        (Unit.BYTES, 2662.4, "2.60 KB"),
        (Unit.BYTES, 512.0, "512 B"),
    ],
)
def test_a_value_is_shown_with_three_digits_in_the_unit_that_people_read(unit: Unit, value: float, shown: str) -> None:
    assert unit.show(value) == shown
