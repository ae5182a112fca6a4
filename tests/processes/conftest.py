"""Fixtures for tests of processes: a world of two VMs, and the place of the second party."""

from __future__ import annotations

import pytest

from tests.processes.harness import HERE, THERE, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=[HERE, THERE], ids=["one VM", "two VMs"])
def place(request: pytest.FixtureRequest) -> str:
    """The host of the other processes of a test: in the VM of the main one, and in another."""
    return str(request.param)
