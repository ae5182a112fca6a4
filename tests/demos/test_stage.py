"""What the demo counts and tells of the events that it sees."""

from __future__ import annotations

from typing import Any

from actors.demos.stage import MANAGER, Presence, Sort, Stage
from actors.errors import Failure

MOST = {MANAGER: 3}


def _stage() -> Stage:
    stage = Stage(MOST)
    assert [note.text for note in stage.service(0.0, MANAGER, "running", 0)] == ["session_manager runs"]
    return stage


def _opened(stage: Stage, user: str, pid: str, messages: int = 0, again: bool = False) -> list[str]:
    news = {"user": user, "pid": pid, "messages": messages, "again": again}
    return [note.text for note in stage.news(1.0, "opened", news)]


def _news(stage: Stage, topic: str, **data: Any) -> list[str]:
    return [note.text for note in stage.news(2.0, topic, data)]


def _presence(stage: Stage) -> Presence:
    return stage.users["ana"].presence


def test_a_session_that_crashes_and_comes_back_is_one_crash_and_one_restart() -> None:
    stage = _stage()
    assert _opened(stage, "ana", "{1}") == ["ana is here"]
    assert _news(stage, "said", user="ana", text="hello", messages=1) == ["ana: hello"]
    [note] = stage.ended(3.0, "{1}", "app:session", Failure("session.lua:3: boom"))
    assert (note.sort, note.text) == (Sort.CRASH, "ana's session crashes: session.lua:3: boom")
    assert _presence(stage) is Presence.CRASHED
    assert not stage.settled()
    assert _opened(stage, "ana", "{2}", 1, again=True) == ["ana has a new session, with all of 1 message"]
    assert _presence(stage) is Presence.HERE
    assert stage.settled()
    counters = stage.counters
    assert (counters.sessions, counters.messages, counters.crashes, counters.restarts) == (1, 1, 1, 1)


def test_a_process_that_ends_well_or_is_canceled_is_no_crash() -> None:
    stage = _stage()
    assert list(stage.ended(1.0, "{1}", "app:session", None)) == []
    assert list(stage.ended(1.0, "{2}", "app:session", Failure("host stopped", kind="Canceled"))) == []
    assert stage.counters.crashes == 0


def test_a_service_is_followed_from_failure_to_failure_until_it_gives_up() -> None:
    stage = _stage()
    texts = []
    for at, status, failures, retry_in in [
        (1.0, "failed", 1, 0.1),
        (1.1, "starting", 1, None),
        (1.1, "running", 1, None),
        (1.1, "failed", 2, 0.15),
        (1.3, "starting", 2, None),
        (1.3, "running", 2, None),
        (1.3, "failed", 3, None),
    ]:
        texts += [note.text for note in stage.service(at, MANAGER, status, failures, retry_in)]
        if failures < 3 and status == "failed":
            assert not stage.settled()
    assert texts == [
        "session_manager: failure 1 of 3, next start in 0.10 s",
        "session_manager is started again, after 0.10 s",
        "session_manager: failure 2 of 3, next start in 0.15 s",
        "session_manager is started again, after 0.20 s",
        "session_manager gives up: 3 failures in a row are all that it may have",
    ]
    assert stage.manager_gave_up()
    assert stage.settled()
    assert stage.counters.restarts == 2
    assert [round(wait, 3) for wait in stage.services[MANAGER].waited] == [0.1, 0.2]


def test_sessions_that_lose_their_manager_are_told_together_and_are_at_home_again_when_found() -> None:
    stage = _stage()
    for user in ("ana", "bea"):
        _opened(stage, user, f"{{{user}}}")
        assert _news(stage, "orphaned", user=user) == []
    assert list(stage.calm(2.01)) == []
    assert [note.text for note in stage.calm(2.1)] == ["2 sessions lose their manager, and go on"]
    assert _presence(stage) is Presence.ORPHANED
    assert _news(stage, "rebuilt", adopted=2, opened=1) == ["the new manager finds 2 sessions alive, and opens 1 again"]
    assert _presence(stage) is Presence.HERE
    assert stage.counters.links == 2


def test_a_user_who_leaves_is_forgotten_and_a_service_without_news_makes_no_note() -> None:
    stage = _stage()
    _opened(stage, "ana", "{1}", 2)
    assert _news(stage, "left", user="ana", messages=2) == ["ana leaves, after 2 messages"]
    assert stage.users == {}
    assert list(stage.service(3.0, MANAGER, "running", 0)) == []


def test_news_that_the_stage_does_not_know_changes_nothing() -> None:
    stage = _stage()
    assert _news(stage, "weather", sun=True) == []
    assert _news(stage, "said", user="nobody", text="?", messages=1) == ["nobody: ?"]
