"""How the demo looks, plain and live."""

from __future__ import annotations

import io

from rich.console import Console

from actors.demos.stage import MANAGER, Note, Sort, Stage
from actors.demos.view import LiveView, PlainView
from actors.errors import Failure

MOST = {MANAGER: 10}


def _console(**options: object) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, width=100, height=30, highlight=False, **options), stream  # type: ignore[arg-type]


def test_plain_lines_have_time_and_mark_and_are_never_wrapped() -> None:
    console, stream = _console()
    text = "ana's session crashes: " + "x" * 200
    PlainView(console).show([Note(1.5, Sort.CRASH, text), Note(12.25, Sort.CHAT, "[b]ana[/b]: hi")], 13.0)
    assert stream.getvalue() == f"  1.50  ✗ {text}\n 12.25    [b]ana[/b]: hi\n"


def _picture(stage: Stage, notes: list[Note], at: float) -> str:
    console, stream = _console()
    view = LiveView(console, stage, MOST, {"app:backstage": ["app:archive_service"]})
    view._notes.extend(notes)
    console.print(view.picture(at))
    return stream.getvalue()


def test_the_picture_shows_services_under_their_supervisor_and_users_under_the_manager() -> None:
    stage = Stage(MOST)
    notes: list[Note] = []
    for id in ("app:processes", "app:backstage", "app:archive_service", MANAGER):
        notes += stage.service(0.0, id, "running", 0)
    notes += stage.news(1.0, "opened", {"user": "ana", "pid": "{1}", "messages": 0, "again": False})
    notes += stage.news(1.0, "said", {"user": "ana", "text": "hello", "messages": 1})
    lines = [line.rstrip() for line in _picture(stage, notes, 1.0).splitlines()]
    assert " ".join(lines[0].split()) == "session_manager 1.0 s sessions 1 messages 1 crashes 0 restarts 0"
    picture = "\n".join(lines)
    assert picture.index("├── ● backstage") < picture.index("│   └── ● archive_service") < picture.index("● processes")
    assert picture.index("└── ● session_manager") < picture.index("    └── ● ana")
    assert "hello" in picture


def test_a_service_that_waits_shows_when_it_starts_and_one_that_gave_up_says_so() -> None:
    stage = Stage(MOST)
    list(stage.service(0.0, MANAGER, "running", 0))
    list(stage.ended(1.0, "{9}", "app:session_handler", Failure("boom")))
    list(stage.service(1.0, MANAGER, "failed", 2, 2.0))
    waiting = _picture(stage, [], 2.0)
    assert "failed  2/10 failures" in waiting
    assert "next start in 1.0 s ━━━━━━──────" in waiting
    list(stage.service(3.0, MANAGER, "starting", 2))
    list(stage.service(3.0, MANAGER, "failed", 10))
    assert "gave up" in _picture(stage, [], 3.0)


def test_more_users_than_fit_are_counted() -> None:
    stage = Stage(MOST)
    list(stage.service(0.0, MANAGER, "running", 0))
    for number in range(60):
        list(stage.news(1.0, "opened", {"user": f"u{number:02}", "pid": str(number), "messages": 0, "again": False}))
    assert "and 38 more" in _picture(stage, [], 1.0)
