"""How the demo's driver sends, holds and asks, against a runtime that a test plays by hand."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from actors import Message, ProcessError, Runtime
from actors.demos.chat import Play
from actors.demos.stage import MANAGER, Note, Stage
from actors.demos.traffic import read_script
from actors.demos.view import SilentView


class _Box:
    pid = "{box}"

    def __init__(self, world: _World) -> None:
        self._world = world

    def receive(self, timeout: float) -> Message:
        world = self._world
        if not world.news:
            world.now += max(timeout, 0.001)
            for at, act in [pair for pair in world.later if pair[0] <= world.now]:
                world.later.remove((at, act))
                act()
        if not world.news:
            raise TimeoutError
        topic, payload = world.news.popleft()
        return Message(topic, "{someone}", payload)


@dataclass
class _World:
    """A runtime with the names that a test gives it; answers to 'still there?' come by themselves."""

    names: set[str]
    now: float = 100.0
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    news: deque[tuple[str, Any]] = field(default_factory=deque)
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def mailbox(self) -> _Box:
        return _Box(self)

    def watch(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        return lambda: None

    def services(self) -> list[Any]:
        return []

    def dead_letters(self) -> list[Any]:
        return []

    def send(self, name: str, topic: str, payload: Any) -> None:
        if name not in self.names:
            raise ProcessError(f"could not resolve '{name}'", kind="NotFound")
        self.sent.append((name, topic, payload))
        if topic == "connect" and "user" in payload:
            user = payload["user"]
            self.names.add(f"session/{user}")
            self.news.append(("opened", {"user": user, "pid": f"{{{user}}}", "messages": 0, "again": False}))
        elif topic == "still there?":
            who = name.removeprefix("session/")
            news = {"user": who, "messages": 3} if who != name else {"messages": 3}
            self.news.append(("still here" if who != name else name, news))


class _Notes(SilentView):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def show(self, notes: Iterable[Note], at: float) -> None:
        self.texts += [note.text for note in notes]


def _play(world: _World) -> tuple[Play, Stage, list[str]]:
    stage, notes = Stage({MANAGER: 2}), _Notes()
    return Play(cast(Runtime, world), stage, notes, clock=world.clock), stage, notes.texts


def _said(world: _World) -> list[str]:
    return [payload["text"] for _, topic, payload in world.sent if topic == "say"]


def test_lines_are_sent_at_their_times_and_the_end_asks_everybody() -> None:
    world = _World({"sessions", "archive", "digest"})
    play, stage, _ = _play(world)
    play.perform(read_script("0.5 ana connects\n1 ana writes hello\n2 ana writes bye\n", "x"))
    assert 102.0 < world.now < 103.0
    assert _said(world) == ["hello", "bye"]
    summary = play.end()
    assert summary.answered == ("ana", "archive", "digest")
    assert summary.silent == ()
    assert summary.record()["sessions"] == stage.counters.sessions == 1
    assert summary.record()["archived_messages"] == 3


def test_what_finds_nobody_is_held_and_delivered_in_order() -> None:
    world = _World({"archive", "digest"})
    play, _, _ = _play(world)
    world.later.append((103.0, lambda: world.names.add("sessions")))
    play.perform(read_script("0 ana connects\n0.1 ana writes one\n0.2 ana writes two\n", "x"))
    assert [(topic, payload.get("text")) for _, topic, payload in world.sent] == [
        ("connect", None),
        ("say", "one"),
        ("say", "two"),
    ]


def test_poison_goes_to_sessions_to_the_manager_to_the_digest_and_into_the_archive() -> None:
    world = _World({"sessions", "archive", "digest"})
    play, _, _ = _play(world)
    play.perform(
        read_script("0 ana connects\n1 poison ana\n2 poison manager\n3 poison digest\n4 poison manager for good\n", "x")
    )
    assert [(name, topic) for name, topic, _ in world.sent][1:] == [
        ("session/ana", "say"),
        ("sessions", "connect"),
        ("digest", "words"),
        ("archive", "joined"),
        ("sessions", "connect"),
    ]


def test_a_line_for_somebody_who_is_not_here_is_told_and_not_sent() -> None:
    world = _World({"sessions", "archive", "digest"})
    play, _, texts = _play(world)
    play.perform(read_script("0 ana writes hello\n", "x"))
    assert world.sent == []
    assert "ana is not here (write: ana connects)" in texts


def test_those_who_knock_at_a_manager_that_gave_up_are_turned_away() -> None:
    world = _World({"archive", "digest"})
    play, stage, texts = _play(world)
    list(stage.service(0.0, MANAGER, "failed", 2))
    play.perform(read_script("0 ana connects\n0 bea connects\n", "x"))
    assert world.now < 101.0
    assert any(text.endswith("2 who wanted in are turned away") for text in texts)
    summary = play.end()
    assert summary.record()["gave_up"] is True


def test_the_end_is_reached_even_if_somebody_never_comes_back_or_never_answers() -> None:
    world = _World({"sessions", "archive"})
    play, stage, _ = _play(world)
    play.perform(read_script("0 ana connects\n0.1 poison digest\n", "x"))
    stage.users["ana"].answered = False
    world.names.discard("session/ana")
    summary = play.end()
    assert summary.answered == ("archive",)
    assert summary.silent == ("digest", "ana")


def test_typed_lines_are_played_until_quit_and_mistakes_are_told() -> None:
    world = _World({"sessions", "archive", "digest"})
    play, _, texts = _play(world)
    play.improvise(io.StringIO("ana connects\n\nana wrtes hi\nana writes hi\nquit\nana writes never\n"))
    assert _said(world) == ["hi"]
    assert any("got 'wrtes', expected connects, writes or leaves after ana" in text for text in texts)
