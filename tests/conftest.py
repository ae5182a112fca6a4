"""What holds for every test: no thread is left behind."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_thread_of_a_test_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    if left:
        # a test that failed may keep its runtime alive in its traceback; one that passed has nothing of the kind
        gc.collect()
        left = [thread for thread in left if thread.is_alive()]
    assert not left, f"threads left behind: {left}"
