from __future__ import annotations

import threading

import pytest

from benchmarks import pykka_rival
from benchmarks.harness import Sample


@pytest.mark.parametrize(
    "exchange",
    [
        lambda: pykka_rival.pingpong_integer(5),
        lambda: pykka_rival.pingpong_table(5),
        lambda: pykka_rival.ring(4, 3),
        lambda: pykka_rival.fan_in(3, 4),
        lambda: pykka_rival.stream(10),
        lambda: pykka_rival.births(3),
        lambda: pykka_rival.ask(5),
        lambda: pykka_rival.start_ask_stop(3),
    ],
)
def test_an_exchange_comes_to_its_end_and_leaves_no_thread(exchange: object) -> None:
    assert callable(exchange)
    before = threading.active_count()
    sample = exchange()
    assert isinstance(sample, Sample)
    assert sample.value > 0
    assert threading.active_count() == before
