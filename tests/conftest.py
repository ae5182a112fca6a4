"""What holds for every test (no thread is left behind), and the folders of apps that tests run."""

from __future__ import annotations

import gc
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

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


@pytest.fixture
def app(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes an app folder: the entries of the namespace `app` as YAML, and further files."""

    def write(entries: str, **files: str) -> Path:
        folder = tmp_path / "app"
        folder.mkdir(exist_ok=True)
        (folder / "_index.yaml").write_text(
            f"namespace: app\nentries:\n{textwrap.indent(textwrap.dedent(entries), '  ')}"
        )
        for name, text in files.items():
            (folder / f"{name}.lua").write_text(textwrap.dedent(text))
        return folder

    return write
