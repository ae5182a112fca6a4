"""The demo `session_manager`: drives the traffic of a chat app, and watches what becomes of it.

Everything goes through the public API: the traffic is sent to registered names, what the processes report comes to a
mailbox, and what the runtime does is watched.
"""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final, TextIO

from actors import Mailbox, Message, ProcessEnded, ProcessError, Runtime, ServiceChanged
from actors.demos.stage import MANAGER, Counters, Note, Sort, Stage
from actors.demos.traffic import DIGEST, Deed, Line, read_deed
from actors.demos.traffic import MANAGER as MANAGER_WORD
from actors.demos.view import View
from actors.errors import NOT_FOUND

_TICK: Final = 0.02
_QUIET: Final = 0.3
_PATIENCE: Final = 10.0  # seconds after the last line until the demo ends, settled or not
_ANSWER: Final = 1.0

Clock = Callable[[], float]


def app_folder() -> Path:
    """Return the folder of the app, as it was installed."""
    return Path(str(resources.files("actors.demos") / "session_manager"))


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo came to; `record` is the object that ``--json`` prints.

    Attributes:
        counters: counted from events.
        gave_up: whether the session manager's service used up its attempts.
        attempts: of the manager, in its last row of failures.
        waited: seconds before each of the manager's restarts, oldest first.
        answered: who still answered at the end: users, ``archive``, ``digest``.
        silent: who did not.
        remembered: messages that the archive has.
        dead_letters: messages that found nobody.
        seconds: how long it took.
    """

    counters: Counters
    gave_up: bool
    attempts: int
    waited: tuple[float, ...]
    answered: tuple[str, ...]
    silent: tuple[str, ...]
    remembered: int | None
    dead_letters: int
    seconds: float

    def record(self) -> dict[str, Any]:
        """Return the summary as plain JSON data."""
        counters = self.counters
        return {
            "sessions": counters.sessions,
            "messages": counters.messages,
            "crashes": counters.crashes,
            "restarts": counters.restarts,
            "gave_up": self.gave_up,
            "manager_attempts": self.attempts,
            "manager_waits": [round(seconds, 3) for seconds in self.waited],
            "links_broken": counters.links,
            "exits_seen": counters.exits,
            "answered": list(self.answered),
            "silent": list(self.silent),
            "archived_messages": self.remembered,
            "dead_letters": self.dead_letters,
            "seconds": round(self.seconds, 2),
        }


@contextmanager
def scene(state: str | None) -> Iterator[Runtime]:
    """Load and start the app with a temporary state folder, or with `state`."""
    if state is not None:
        with Runtime.load(app_folder(), state=state) as rt:
            yield rt
        return
    with tempfile.TemporaryDirectory(prefix="tutela-demo-") as folder, Runtime.load(app_folder(), state=folder) as rt:
        yield rt


def most_attempts(rt: Runtime) -> dict[str, int]:
    """Read from the registry how many failures in a row each service may have; without a bound it is left out."""
    found: dict[str, int] = {}
    for entry in rt.registry.find(kind="process.service"):
        most = entry.data.get("lifecycle", {}).get("restart", {}).get("max_attempts", 0)
        if most:
            found[entry.id] = most
    return found


def children(rt: Runtime) -> dict[str, list[str]]:
    """Read from the registry which services stand under which supervisor."""
    trees: dict[str, list[str]] = {}
    for entry in rt.registry.find(kind="supervisor"):
        listed = (child if isinstance(child, str) else child["id"] for child in entry.data["children"])
        trees[entry.id] = [id if ":" in id else f"{entry.namespace}:{id}" for id in listed]
    return trees


@dataclass(slots=True)
class _Seen:
    """Events of the runtime, put by its threads and taken by the demo's."""

    waiting: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                yield self.waiting.get_nowait()
            except queue.Empty:
                return


class Play:
    """One performance: sends the lines at their times, and feeds the stage with what comes of them.

    Args:
        rt: the running app.
        stage: fed with every event.
        view: shown every note.
        clock: seconds that never go back.
    """

    def __init__(self, rt: Runtime, stage: Stage, view: View, *, clock: Clock = time.monotonic) -> None:
        self._rt = rt
        self._stage = stage
        self._view = view
        self._clock = clock
        self._started = clock()
        self._box: Mailbox = rt.mailbox()
        self._seen = _Seen()
        self._unwatch = rt.watch(self._seen.waiting.put)
        for service in rt.services():
            self._show(stage.service(0.0, service.id, service.status, service.retry_count))
        # who was asked to come; a line for somebody else can't be meant
        self._connected: set[str] = set()
        # what waits for a process that is away, by its name, in order
        self._held: dict[str, deque[tuple[str, dict[str, Any]]]] = {}

    def perform(self, lines: Sequence[Line]) -> None:
        """Play a script, and return when all has settled after its last line."""
        for line in lines:
            while self._now() < line.at:
                self._tick(line.at)
            self._do(line)
        end = self._now()
        while self._now() < end + _QUIET or not (self._settled() or self._now() > end + _PATIENCE):
            self._tick()

    def improvise(self, typed: TextIO) -> None:
        """Play the lines that somebody types, until ``quit`` or the end of the input."""
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()

        def read() -> None:
            for text in typed:
                lines.put(text.strip())
            lines.put("quit")

        threading.Thread(target=read, name="tutela-demo-input", daemon=True).start()
        while True:
            self._tick()
            try:
                text = lines.get_nowait()
            except queue.Empty:
                continue
            if text in ("quit", "exit"):
                break
            try:
                if text:
                    self._do(read_deed(text))
            except ValueError as error:
                self._say(Sort.INFO, str(error))
        end = self._now()
        while not self._settled() and self._now() < end + _PATIENCE:
            self._tick()

    def end(self) -> Summary:
        """Ask everybody whether they are still there, and sum up."""
        stage = self._stage
        asked = {f"session/{name}": name for name in stage.users} | {"archive": "archive", DIGEST: DIGEST}
        for name in asked:
            self._send(name, "still there?", {"reply_to": self._box.pid})
        end = self._now() + _ANSWER

        def missing() -> list[str]:
            silent = [name for name in ("archive", DIGEST) if name not in stage.answers]
            return silent + [user.name for user in stage.users.values() if not user.answered]

        while missing() and self._now() < end:
            self._tick()
        self._unwatch()
        silent = missing()
        manager = stage.services.get(MANAGER)
        return Summary(
            counters=stage.counters,
            gave_up=stage.manager_gave_up(),
            attempts=manager.failures if manager else 0,
            waited=tuple(manager.waited) if manager else (),
            answered=tuple(sorted(name for name in asked.values() if name not in silent)),
            silent=tuple(silent),
            remembered=stage.answers.get("archive", {}).get("messages"),
            dead_letters=len(self._rt.dead_letters()),
            seconds=self._now(),
        )

    def _do(self, line: Line) -> None:
        match line.deed:
            case Deed.CONNECT:
                self._connected.add(line.who)
                self._post("sessions", "connect", {"user": line.who, "audience": self._box.pid})
            case Deed.SPOIL:
                # a record without a user: whoever reads the book fails over it
                self._post("archive", "joined", {"audience": self._box.pid})
                self._post("sessions", "connect", {})
            case Deed.POISON if line.who == MANAGER_WORD:
                self._post("sessions", "connect", {})
            case Deed.POISON if line.who == DIGEST:
                self._post(DIGEST, "words", {"no": "text"})
            case _ if line.who not in self._connected:
                self._say(Sort.INFO, f"{line.who} is not here (write: {line.who} connects)")
            case Deed.POISON:
                self._post(f"session/{line.who}", "say", {"text": {"no": "text"}})
            case Deed.WRITE:
                self._post(f"session/{line.who}", "say", {"text": line.text})
            case Deed.LEAVE:
                self._connected.discard(line.who)
                self._post(f"session/{line.who}", "leave", {})

    def _post(self, name: str, topic: str, payload: dict[str, Any]) -> None:
        """Send now, or when the process of that name is there again."""
        if self._held.get(name) or not self._send(name, topic, payload):
            self._held.setdefault(name, deque()).append((topic, payload))

    def _send(self, name: str, topic: str, payload: dict[str, Any]) -> bool:
        try:
            self._rt.send(name, topic, payload)
        except ProcessError as error:
            if error.kind != NOT_FOUND:
                raise
            return False
        return True

    def _deliver_held(self) -> None:
        for name, held in self._held.items():
            while held and self._send(name, *held[0]):
                held.popleft()
        if self._stage.manager_gave_up() and (knocking := self._held.pop("sessions", None)):
            self._say(Sort.INFO, f"nobody opens the door any more: {len(knocking)} who wanted in are turned away")

    def _tick(self, until: float | None = None) -> None:
        """Wait a moment for news, take in all there is, and show it."""
        wait = _TICK if until is None else min(_TICK, max(0.0, until - self._now()))
        messages: list[Message] = []
        with suppress(TimeoutError):
            while True:
                messages.append(self._box.receive(timeout=wait))
                wait = 0.0
        notes: list[Note] = []
        # first what happened, then what processes say about it
        for event in self._seen:
            if isinstance(event, ServiceChanged):
                state = event.state
                notes += self._stage.service(self._now(), state.id, state.status, state.retry_count, event.retry_in)
            elif isinstance(event, ProcessEnded):
                notes += self._stage.ended(self._now(), event.pid, event.entry, event.failure)
        for message in messages:
            data = message.payload if isinstance(message.payload, dict) else {}
            notes += self._stage.news(self._now(), message.topic, data)
        notes += self._stage.calm(self._now())
        self._show(notes)
        self._deliver_held()

    def _settled(self) -> bool:
        return self._stage.settled() and not any(self._held.values())

    def _show(self, notes: Any) -> None:
        self._view.show(notes, self._now())

    def _say(self, sort: Sort, text: str) -> None:
        self._show([Note(self._now(), sort, text)])

    def _now(self) -> float:
        return self._clock() - self._started
