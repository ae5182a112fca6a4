"""The answer to `ps`, from records of any shape that the runtime may have."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest

from actors.errors import ProcessError
from actors.inspection import ps_handler


class _Status(Enum):
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class _Service:
    id: str
    status: _Status
    started_at: float | None
    details: Any = None


@dataclass(frozen=True, slots=True)
class _Process:
    pid: str
    names: tuple[str, ...] = ()


class _Runtime:
    def services(self) -> list[_Service]:
        return [
            _Service("a:up", _Status.RUNNING, 90.0),
            _Service("a:down", _Status.FAILED, 50.0, ProcessError("process failed: boom")),
        ]

    def hosts(self) -> list[Any]:
        return []

    def processes(self) -> list[_Process]:
        return [_Process("{1}", ("one",)), _Process("{2}"), _Process("{3}")]

    def dead_letters(self) -> list[int]:
        return [1, 2]


def test_ps_gives_records_as_json_data() -> None:
    answer = ps_handler(_Runtime(), time=lambda: 100.0)({"request": "ps"})
    assert json.loads(json.dumps(answer)) == {
        "program": os.getpid(),
        "services": [
            {"id": "a:up", "status": "running", "started_at": 90.0, "details": None, "seconds": 10.0},
            {
                "id": "a:down",
                "status": "failed",
                "started_at": 50.0,
                "details": "process failed: boom",
                "seconds": None,
            },
        ],
        "hosts": [],
        "processes": [{"pid": "{1}", "names": ["one"]}, {"pid": "{2}", "names": []}, {"pid": "{3}", "names": []}],
        "process_count": 3,
        "dead_letters": 2,
    }


def test_a_limit_shortens_the_list_but_not_the_count() -> None:
    answer = ps_handler(_Runtime())({"limit": 2})
    assert [process["pid"] for process in answer["processes"]] == ["{1}", "{2}"]
    assert answer["process_count"] == 3


@pytest.mark.parametrize("limit", [-1, "many", None])
def test_a_limit_that_is_no_count_is_refused(limit: Any) -> None:
    with pytest.raises(ProcessError, match="invalid limit"):
        ps_handler(_Runtime())({"limit": limit})
