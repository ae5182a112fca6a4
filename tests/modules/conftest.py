"""Fixtures for tests of the modules that reach the runtime."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.modules.app import HERE, THERE, App


@pytest.fixture
def app() -> Iterator[App]:
    with App() as running:
        yield running


@pytest.fixture(params=[HERE, THERE], ids=["one VM", "two VMs"])
def place(request: pytest.FixtureRequest) -> str:
    """The host of the other party: in the VM of the main process, and in another."""
    return str(request.param)
