"""How the demo looks: plain lines, or a live picture in a terminal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from actors.demos.stage import MANAGER, Note, Presence, Service, Sort, Stage, User

_MARKS: Final = {
    Sort.CHAT: ("  ", "default"),
    Sort.COME: ("+ ", "green"),
    Sort.GO: ("- ", "bright_black"),
    Sort.CRASH: ("✗ ", "bold red"),
    Sort.BACK: ("↻ ", "bold green"),
    Sort.WAIT: ("… ", "yellow"),
    Sort.LINK: ("⇠ ", "cyan"),
    Sort.GAVE_UP: ("■ ", "bold white on red"),
    Sort.INFO: ("· ", "bright_black"),
}
_STATUS: Final = {"running": "green", "starting": "yellow", "failed": "red", "exited": "bright_black"}
_BAR: Final = 12


class View(Protocol):
    """Where the notes of the demo go."""

    def __enter__(self) -> View: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, notes: Iterable[Note], at: float) -> None:
        """Show what is new, `at` seconds after the start; called some fifty times a second, mostly with nothing."""


class _Still:
    def __enter__(self) -> View:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, notes: Iterable[Note], at: float) -> None:
        pass


class SilentView(_Still):
    """Shows nothing."""


class PlainView(_Still):
    """Prints one line per event."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, notes: Iterable[Note], at: float) -> None:
        for note in notes:
            mark, style = _MARKS[note.sort]
            self._console.print(Text(f"{note.at:6.2f}  {mark}{note.text}", style=style), soft_wrap=True)


class LiveView:
    """Draws the tree of the app, the counters and the last events, ten times a second."""

    def __init__(self, console: Console, stage: Stage, most: dict[str, int], children: dict[str, list[str]]) -> None:
        self._console = console
        self._stage = stage
        self._most = most
        self._children = children
        self._notes: deque[Note] = deque(maxlen=40)
        self._live = Live(console=console, refresh_per_second=10, auto_refresh=False, transient=False)
        self._drawn_at = -1.0

    def __enter__(self) -> View:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, notes: Iterable[Note], at: float) -> None:
        before = len(self._notes)
        # what is said stands beside the user in the tree
        self._notes.extend(note for note in notes if note.sort is not Sort.CHAT)
        if at - self._drawn_at >= 0.1 or (len(self._notes) != before and at - self._drawn_at >= 0.05):
            self._drawn_at = at
            self._live.update(self.picture(at), refresh=True)

    def picture(self, at: float) -> RenderableType:
        """Return the whole picture."""
        rows = max(8, self._console.height - 5)
        events = Text("\n").join(self._event(note) for note in list(self._notes)[-rows:])
        events.no_wrap, events.overflow = True, "ellipsis"
        both = Table.grid(padding=(0, 2), expand=True)
        both.add_column(ratio=5)
        both.add_column(ratio=6)
        both.add_row(self._tree(at, rows), events)
        return Group(self._counters(at), Text(), both)

    def _counters(self, at: float) -> Text:
        counters = self._stage.counters
        line = Text.assemble(("session_manager", "bold"), f"  {at:5.1f} s   ")
        for name, value, style in (
            ("sessions", counters.sessions, "green"),
            ("messages", counters.messages, "default"),
            ("crashes", counters.crashes, "red"),
            ("restarts", counters.restarts, "green"),
        ):
            line.append(f"  {name} ").append(f"{value}", style=f"bold {style}")
        return line

    def _event(self, note: Note) -> Text:
        mark, style = _MARKS[note.sort]
        return Text.assemble((f"{note.at:6.2f} ", "bright_black"), (f"{mark}{note.text}", style))

    def _tree(self, at: float, rows: int) -> Tree:
        services = self._stage.services
        tree = Tree(Text("app", style="bold"), guide_style="bright_black")
        inner = {child for children in self._children.values() for child in children}
        for id in sorted(services, key=lambda id: (id == MANAGER, id)):
            if id in inner:
                continue
            branch = tree.add(self._service(services[id], at))
            for child in self._children.get(id, ()):
                branch.add(self._service(services.get(child, Service(child)), at))
            if (wait := self._wait(services[id], at)) is not None:
                branch.add(wait)
            if id == MANAGER:
                room = rows - len(services) - 2
                users = sorted(self._stage.users.values(), key=lambda user: user.name)
                for user in users[:room]:
                    branch.add(self._user(user, at))
                if len(users) > room:
                    branch.add(Text(f"and {len(users) - room} more", style="bright_black"))
        return tree

    def _service(self, service: Service, at: float) -> Text:
        status = "gave up" if service.gave_up else service.status
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append("● ", style=_STATUS.get(service.status, "bright_black"))
        line.append(service.id.rpartition(":")[2], style="bold")
        line.append(f"  {status}", style="bold white on red" if service.gave_up else _STATUS.get(service.status, ""))
        most = self._most.get(service.id, 0)
        if service.failures and most and service.status != "running":
            line.append(f"  {service.failures}/{most} failures", style="yellow")
        if service.restarts:
            line.append(f"  ↻ {service.restarts}", style="bright_black")
        return line

    def _wait(self, service: Service, at: float) -> Text | None:
        """How long until a failed service is started again, as a bar that fills."""
        if service.next_at is None or (whole := service.next_at - service.changed_at) <= 0:
            return None
        left = max(0.0, service.next_at - at)
        full = round(_BAR * (1 - left / whole))
        line = Text(f"next start in {left:.1f} s ", style="yellow", no_wrap=True)
        return line.append("━" * full, style="yellow").append("─" * (_BAR - full), style="bright_black")

    def _user(self, user: User, at: float) -> Text:
        dot, style = {
            Presence.HERE: ("● ", "green"),
            Presence.CRASHED: ("✗ ", "bold red"),
            Presence.ORPHANED: ("○ ", "cyan"),
        }[user.presence]
        line = Text(no_wrap=True, overflow="ellipsis").append(f"{dot}{user.name:<8}", style=style)
        line.append(f"{user.messages:>3}", style="default")
        line.append(f" {'✗' * user.crashes:<3} ", style="red")
        return line.append(user.last_text, style="default" if at - user.spoke_at < 0.6 else "bright_black")
