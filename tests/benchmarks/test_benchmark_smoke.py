from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import erlang_rival
from benchmarks.harness import OURS
from benchmarks.scenarios import scenarios
from benchmarks.throughput import throughput

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)
def test_every_row_runs_on_every_side_and_comes_to_right_answers(tmp_path: Path) -> None:
    chart = tmp_path / "chart.svg"
    command = [sys.executable, "-m", "benchmarks", "throughput", "--quick", "--json", "--svg", str(chart)]
    made = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=220, check=False)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    rows = {row["name"]: row for row in json.loads(made.stdout)["scenarios"]}
    assert list(rows) == [row.name for row in scenarios(None)]
    for name, row in rows.items():
        assert OURS in row["sides"], name
        for side in row["sides"].values():
            assert len(side["values"]) == 1, name
            assert side["values"][0] > 0, name
    assert ("erlang" in rows["ring"]["sides"]) == erlang_rival.available()
    assert "pykka" in rows["ring"]["sides"]
    assert chart.read_text(encoding="utf-8").startswith("<svg")


def test_a_row_that_nobody_knows_is_refused_with_the_names_of_all() -> None:
    found = CliRunner().invoke(throughput, ["--only", "ring,rign"])
    assert found.exit_code == 2
    assert "got rign, expected some of: pingpong_integer, " in found.output


def test_no_bar_is_held_against_a_side_that_does_not_exist() -> None:
    known = {"erlang", "pykka", "one worker", "own spawn", "python json", None}
    assert {bar.against for row in scenarios(None) for bar in row.bars} <= known
