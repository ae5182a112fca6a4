"""`tutela run --reload` as a real program, with a history that lasts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

INDEX = """\
namespace: shop
entries:
  - name: procs
    kind: process.host
    host: { workers: 1 }
    lifecycle: { auto_start: true }
  - name: teller
    kind: process.lua
    source: file://teller.lua
"""
SERVICE = """\
  - name: service
    kind: process.service
    process: teller
    host: procs
    lifecycle: { auto_start: true }
"""


def test_run_follows_the_files_and_keeps_versions(tmp_path: Path) -> None:
    folder, state = tmp_path / "shop", tmp_path / "state"
    folder.mkdir()
    (folder / "_index.yaml").write_text(INDEX)
    (folder / "teller.lua").write_text('return { main = function() print("it runs") process.events():receive() end }')
    (folder / ".wippy.yaml").write_text("registry: { history_type: sqlite }")
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    program = subprocess.Popen(
        [sys.executable, "-m", "actors.cli", "run", str(folder), "--reload", "--state", str(state)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert program.stdout is not None
    lines: list[str] = []

    def until(text: str) -> None:
        assert program.stdout is not None
        for line in program.stdout:
            lines.append(line)
            if text in line:
                return
        raise AssertionError(f"{text!r} never came:\n{''.join(lines)}")

    try:
        until("runtime ready")
        until("following the files")
        (folder / "_index.yaml").write_text(INDEX + SERVICE)
        until("version 1 from the files: create shop:service")
        until("it runs")
        (folder / "teller.lua").write_text("return {")
        until("refused")
        until("teller.lua:1")
        program.send_signal(signal.SIGINT)
        program.communicate(timeout=20)
    finally:
        program.kill()
    assert program.returncode == 0
    assert (state / "registry.db").stat().st_size > 0
