"""Programs of their own: what must be measured from a fresh start, or could take the harness down with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Sample

PROGRAMS = Path(__file__).with_name("programs")
ROOT = Path(__file__).resolve().parent.parent


class ChildFailedError(Exception):
    """Raised when a program ends with an error or does not end; carries the end of what it wrote."""


def python(program: str, *args: object) -> list[str]:
    """Return the command that runs a file of `programs/` with this interpreter."""
    return [sys.executable, str(PROGRAMS / program), *map(str, args)]


def ask_json(command: Sequence[str], timeout: float) -> dict[str, Any]:
    """Run a program to its end and return the JSON object that it prints as its last line.

    Raises:
        ChildFailedError: it ended with an error, or not within `timeout` seconds.
    """
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=_environment())
    except subprocess.TimeoutExpired as error:
        raise ChildFailedError(f"{Path(command[1]).name} did not end in {timeout:g} seconds") from error
    if made.returncode:
        raise ChildFailedError(f"{Path(command[1]).name} ended with {made.returncode}: {made.stderr.strip()[-600:]}")
    found: dict[str, Any] = json.loads(made.stdout.strip().splitlines()[-1])
    return found


def first_answer(command: Sequence[str], answer: str | None, repeats: int, timeout: float = 60.0) -> Sample:
    """Run a whole program `repeats` times; the median time from its launch to its first line, in seconds.

    The median time to its end is among the facts. `answer` is the line expected, or None for a program that prints
    nothing: then the end counts.

    Raises:
        ChildFailedError: another line came, or an error, or no end within `timeout` seconds.
    """
    firsts, ends = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        program = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment()
        )
        assert program.stdout is not None
        line = program.stdout.readline().strip()
        first = time.perf_counter()
        try:
            _, complaints = program.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            program.kill()
            raise ChildFailedError(f"{' '.join(command[:2])} did not end in {timeout:g} seconds") from error
        ended = time.perf_counter()
        if program.returncode or line != (answer or ""):
            raise ChildFailedError(f"answered {line!r}, exit code {program.returncode}: {complaints.strip()[-600:]}")
        firsts.append((first if answer else ended) - started)
        ends.append(ended - started)
    return Sample(sorted(firsts)[repeats // 2], {"whole program ms": sorted(ends)[repeats // 2] * 1e3})


def _environment() -> dict[str, str]:
    """The environment of the children: they import this checkout, wherever they are started from."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
