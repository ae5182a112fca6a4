"""An app with a terminal host, and the streams of a test."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors import Runtime
from actors.terminal import Terminal

INDEX = """\
namespace: app
entries:
  - { name: term, kind: terminal.host, hide_logs: %s, lifecycle: { auto_start: true } }
  - { name: procs, kind: process.host, host: { workers: 1 }, lifecycle: { auto_start: true } }
  - name: main
    kind: process.lua
    source: file://main.lua
    method: main
    modules: [io, time, system]
  - name: other
    kind: process.lua
    source: file://other.lua
    method: main
    modules: [io, system, time]
"""


class Screen:
    """A runtime whose terminal is a test's: what it prints, and what it was told to read."""

    def __init__(self, folder: Path, main: str, other: str, stdin: Any, args: tuple[str, ...], hide_logs: bool) -> None:
        (folder / "_index.yaml").write_text(INDEX % str(hide_logs).lower())
        (folder / "main.lua").write_text(main)
        (folder / "other.lua").write_text(other)
        self.stdout, self.stderr = io.BytesIO(), io.BytesIO()
        terminal = Terminal(
            io.StringIO(stdin) if isinstance(stdin, str) else stdin, self.stdout, self.stderr, args=args
        )
        self.rt = Runtime.load(folder, terminal=terminal)

    def run(self, *args: Any) -> int | None:
        """Run main to its end; the exit code."""
        with self.rt:
            self.rt.spawn("app:main", "app:term", *args)
            return self.rt.wait(30)

    @property
    def out(self) -> str:
        return self.stdout.getvalue().decode()

    @property
    def err(self) -> str:
        return self.stderr.getvalue().decode()


@pytest.fixture
def screen(tmp_path: Path) -> Callable[..., Screen]:
    def make(
        main: str,
        other: str = "return function() end",
        *,
        stdin: Any = "",
        args: tuple[str, ...] = (),
        hide: bool = False,
    ) -> Screen:
        return Screen(tmp_path, main, other, stdin, args, hide)

    return make
