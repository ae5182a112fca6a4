"""What is to be seen of the chat: events go in, the state of everybody and a line of text for each come out.

Nothing here waits, sends or draws. Every figure is counted from an event of the runtime or a message of a process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from actors.errors import Failure

MANAGER: Final = "app:session_manager"
SESSION: Final = "app:session"
_CALM_SECONDS: Final = 0.05


class Sort(Enum):
    """What a note is about; the views choose mark and colour by it."""

    CHAT = "chat"
    COME = "come"
    GO = "go"
    CRASH = "crash"
    BACK = "back"
    WAIT = "wait"
    LINK = "link"
    GAVE_UP = "gave up"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Note:
    """One line for the person who watches: `at` seconds from the start, `text` happened."""

    at: float
    sort: Sort
    text: str


class Presence(Enum):
    """How a user's session is."""

    HERE = "here"
    CRASHED = "crashed"
    ORPHANED = "orphaned"  # lives, its manager does not


@dataclass(slots=True)
class User:
    """A connected user, as the reports of the session tell."""

    name: str
    pid: str
    messages: int = 0
    presence: Presence = Presence.HERE
    crashes: int = 0
    last_text: str = ""
    spoke_at: float = 0.0
    answered: bool = False  # when asked at the end


@dataclass(slots=True)
class Service:
    """A supervised service, as its updates tell."""

    id: str
    status: str = "unknown"
    failures: int = 0
    changed_at: float = 0.0
    next_at: float | None = None  # when it is started again
    restarts: int = 0
    waited: list[float] = field(default_factory=list)  # seconds before each restart, oldest first
    gave_up: bool = False


@dataclass(slots=True)
class Counters:
    """What the summary gives."""

    sessions: int = 0
    messages: int = 0
    crashes: int = 0
    restarts: int = 0
    links: int = 0
    exits: int = 0
    gave_up: list[str] = field(default_factory=list)


class Stage:
    """The state of the chat, fed with events in the order in which they are seen.

    Args:
        most: `max_attempts` by service id; a service without one tries for ever.
    """

    def __init__(self, most: Mapping[str, int]) -> None:
        self.counters = Counters()
        self.users: dict[str, User] = {}
        self.services: dict[str, Service] = {}
        self.answers: dict[str, Mapping[str, Any]] = {}  # of the archive and the digest, when asked at the end
        self._most = most
        self._user_of: dict[str, str] = {}  # pid of a session -> user
        self._last_reason = ""
        self._orphans: list[str] = []
        self._orphaned_at = 0.0

    def service(
        self, at: float, id: str, status: str, retry_count: int, retry_in: float | None = None
    ) -> Iterator[Note]:
        """Take in that a service has changed its state; `retry_in` seconds until it is started again."""
        service = self.services.setdefault(id, Service(id))
        before, service.status = service.status, status
        if status == "failed" and before != "failed":
            yield from self._failed(at, service, retry_count, retry_in)
        elif status in ("starting", "running") and before == "failed":
            yield self._started_again(at, service)
        elif status == "running" and before == "unknown":
            yield Note(at, Sort.INFO, f"{_short(id)} runs")
        elif status in ("exited", "stopped") and before != status:
            yield Note(at, Sort.INFO, f"{_short(id)} has {'ended' if status == 'exited' else 'stopped'}")
        service.failures = retry_count
        service.changed_at = at

    def _failed(self, at: float, service: Service, failures: int, retry_in: float | None) -> Iterator[Note]:
        most = self._most.get(service.id, 0)
        name = _short(service.id)
        service.next_at = None if retry_in is None else at + retry_in
        if 0 < most <= failures and retry_in is None:
            service.gave_up = True
            self.counters.gave_up.append(service.id)
            yield Note(at, Sort.GAVE_UP, f"{name} gives up: {failures} failures in a row are all that it may have")
        elif retry_in is not None and most:
            yield Note(at, Sort.WAIT, f"{name}: failure {failures} of {most}, next start in {retry_in:.2f} s")

    def _started_again(self, at: float, service: Service) -> Note:
        service.next_at = None
        service.restarts += 1
        service.waited.append(at - service.changed_at)
        self.counters.restarts += 1
        return Note(at, Sort.BACK, f"{_short(service.id)} is started again, after {service.waited[-1]:.2f} s")

    def ended(self, at: float, pid: str, entry: str, failure: Failure | None) -> Iterator[Note]:
        """Take in that a process has ended; `failure` is None when it ended well."""
        user = self.users.get(self._user_of.pop(pid, ""))
        if failure is None or failure.kind == "Canceled":
            return
        self.counters.crashes += 1
        reason = failure.message
        if user is not None:
            user.presence = Presence.CRASHED
            user.crashes += 1
            subject = f"{user.name}'s session"
        else:
            subject = "the manager" if entry == "app:session_handler" else _short(entry)
        again = reason == self._last_reason and user is None
        self._last_reason = reason
        yield Note(
            at, Sort.CRASH, f"{subject} crashes {'in the same way' if again else ': ' + reason}".replace(" :", ":")
        )

    def news(self, at: float, topic: str, data: Mapping[str, Any]) -> Iterator[Note]:
        """Take in a message that one of the app's processes sent to its audience."""
        match topic:
            case "opened":
                yield self._opened(at, data)
            case "said":
                self.counters.messages += 1
                if (user := self.users.get(data["user"])) is not None:
                    user.messages, user.last_text, user.spoke_at = data["messages"], data["text"], at
                yield Note(at, Sort.CHAT, f"{data['user']}: {data['text']}")
            case "left":
                self.users.pop(data["user"], None)
                yield Note(at, Sort.GO, f"{data['user']} leaves, after {_messages(data['messages'])}")
            case "exit":
                self.counters.exits += 1
                yield Note(at, Sort.LINK, f"the manager's monitor reports {data['user']}'s session")
            case "link":
                self.counters.links += 1
            case "orphaned":
                self.counters.links += 1
                user = self.users.get(data["user"])
                # a manager that crashes while it starts has bound them for a moment: no news
                if user is not None and user.presence is not Presence.ORPHANED:
                    user.presence = Presence.ORPHANED
                    self._orphans.append(user.name)
                    self._orphaned_at = at
            case "rebuilt":
                yield from self.calm(at + _CALM_SECONDS)
                for user in self.users.values():
                    if user.presence is Presence.ORPHANED:
                        user.presence = Presence.HERE
                yield Note(at, Sort.BACK, _rebuilt(data["adopted"], data["opened"]))
            case "still here":
                if (user := self.users.get(data["user"])) is not None:
                    user.answered = True
            case "archive" | "digest":
                self.answers[topic] = data

    def _opened(self, at: float, data: Mapping[str, Any]) -> Note:
        name = data["user"]
        user = self.users.setdefault(name, User(name, data["pid"]))
        user.pid, user.messages, user.presence = data["pid"], data["messages"], Presence.HERE
        self._user_of[user.pid] = name
        if data["again"]:
            self.counters.restarts += 1
            remembered = f", with all of {_messages(user.messages)}" * bool(user.messages)
            return Note(at, Sort.BACK, f"{name} has a new session{remembered}")
        self.counters.sessions += 1
        return Note(
            at, Sort.COME, f"{name} is here" + (f" again, with {_messages(user.messages)}" * bool(user.messages))
        )

    def calm(self, at: float) -> Iterator[Note]:
        """Tell what is better told together, once nothing more of it came for a moment."""
        if self._orphans and at - self._orphaned_at >= _CALM_SECONDS:
            count = len(self._orphans)
            self._orphans.clear()
            text = (
                "1 session loses its manager, and goes on"
                if count == 1
                else f"{count} sessions lose their manager, and go on"
            )
            yield Note(at, Sort.LINK, text)

    def manager_gave_up(self) -> bool:
        """Tell whether the session manager's service has used up its attempts."""
        return MANAGER in self.counters.gave_up

    def settled(self) -> bool:
        """Tell whether no session and no service is about to come back."""
        if any(service.status == "starting" or service.next_at is not None for service in self.services.values()):
            return False
        return self.manager_gave_up() or all(user.presence is Presence.HERE for user in self.users.values())


def _short(id: str) -> str:
    return id.rpartition(":")[2]


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _rebuilt(adopted: int, opened: int) -> str:
    text = f"the new manager finds {adopted} session{'s' * (adopted != 1)} alive"
    return f"{text}, and opens {opened} again" if opened else text
