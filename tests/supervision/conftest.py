"""Fixtures for tests of supervision: virtual time, and a check that no thread is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from actors.clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not left, f"threads left behind: {left}"
