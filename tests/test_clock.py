"""Virtual time: when it jumps, who is woken, and in which order."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from actors.clock import Inbox, SystemClock, VirtualClock


class Ticker(threading.Thread):
    """An actor in its simplest form: notes each deadline that passes, and each item."""

    def __init__(self, clock: VirtualClock, deadlines: list[float], note: Callable[[float, object], None]) -> None:
        super().__init__()
        self.clock = clock
        self.inbox: Inbox = clock.inbox()
        self.deadlines = deadlines
        self.note = note

    def run(self) -> None:
        while True:
            items = self.inbox.take(self.deadlines[0] if self.deadlines else None)
            for item in items:
                if item == "stop":
                    self.inbox.close()
                    return
                self.note(self.clock.monotonic(), item)
            if not items and self.deadlines:
                self.note(self.clock.monotonic(), self.deadlines.pop(0))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def _stop(*tickers: Ticker) -> None:
    for ticker in tickers:
        ticker.inbox.put("stop")
        ticker.join(10)
        assert not ticker.is_alive()


def test_advance_stops_at_every_deadline_and_ends_exactly_at_its_own(clock: VirtualClock) -> None:
    seen: list[tuple[float, object]] = []
    ticker = Ticker(clock, [1.0, 2.5, 10.0, 10.5], lambda now, what: seen.append((now, what)))
    ticker.start()
    clock.advance(10.0)
    assert seen == [(1.0, 1.0), (2.5, 2.5), (10.0, 10.0)]
    assert clock.monotonic() == 10.0
    _stop(ticker)


def test_settle_lets_no_time_pass_at_all(clock: VirtualClock) -> None:
    clock.advance(1e9)
    seen: list[object] = []
    ticker = Ticker(clock, [1e9 + 1], lambda now, what: seen.append(what))
    ticker.start()
    ticker.inbox.put("item")
    clock.settle()
    assert seen == ["item"]
    assert clock.monotonic() == 1e9
    _stop(ticker)


def test_actors_with_the_same_deadline_are_woken_one_after_the_other_in_the_order_of_their_making(
    clock: VirtualClock,
) -> None:
    for _ in range(20):
        seen: list[int] = []
        due = clock.monotonic() + 1.0
        tickers = [Ticker(clock, [due], lambda now, what, n=n, seen=seen: seen.append(n)) for n in range(5)]
        for ticker in reversed(tickers):
            ticker.start()
        clock.advance(1.0)
        assert seen == [0, 1, 2, 3, 4]
        _stop(*tickers)


def test_an_answer_that_is_on_its_way_to_a_caller_keeps_time_from_jumping(clock: VirtualClock) -> None:
    for _ in range(50):
        box = clock.inbox(caller=True)
        before = clock.monotonic()
        ticker = Ticker(clock, [before + 100.0], lambda now, what, box=box: box.put(what))
        ticker.start()
        ticker.inbox.put("answer")
        assert box.take(before + 1000.0) == ["answer"]
        assert clock.monotonic() == before
        _stop(ticker)


def test_a_caller_whose_time_is_over_comes_after_the_actors_of_the_same_time(clock: VirtualClock) -> None:
    for _ in range(50):
        box = clock.inbox(caller=True)
        due = clock.monotonic() + 1.0
        ticker = Ticker(clock, [due], lambda now, what, box=box: box.put("just in time"))
        ticker.start()
        assert box.take(due) == ["just in time"]
        _stop(ticker)


def test_time_does_not_jump_while_it_is_held(clock: VirtualClock) -> None:
    box = clock.inbox(caller=True)
    entered, waiting = threading.Event(), threading.Event()

    def hold() -> None:
        with clock.hold():
            entered.set()
            waiting.wait(10)
            assert clock.monotonic() == 0.0
            box.put("done")

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(10)
    waiting.set()
    assert box.take(5.0) == ["done"]
    thread.join(10)
    assert clock.monotonic() == 0.0


def test_a_closed_inbox_no_longer_keeps_time_from_jumping(clock: VirtualClock) -> None:
    inbox = clock.inbox()
    inbox.close()
    clock.advance(1.0)
    assert clock.monotonic() == 1.0
    inbox.put("late")
    assert inbox.take() == ["late"]
    assert inbox.take() == []


@pytest.mark.parametrize("clock_class", [SystemClock, VirtualClock])
def test_an_inbox_gives_all_items_of_all_writers_each_writer_s_in_order(clock_class: type) -> None:
    inbox = clock_class().inbox(caller=True)
    writers = [
        threading.Thread(target=lambda n=n: [inbox.put((n, i)) for i in range(500)])  # type: ignore[misc]
        for n in range(4)
    ]
    for writer in writers:
        writer.start()
    got: list[tuple[int, int]] = []
    while len(got) < 2000:
        got += inbox.take()
    for writer in writers:
        writer.join(10)
    assert all([i for m, i in got if m == n] == list(range(500)) for n in range(4))
    assert inbox.empty()


def test_a_passed_deadline_does_not_wait_on_the_system_clock() -> None:
    inbox = SystemClock().inbox()
    assert inbox.take(0.0) == []
    inbox.put(1)
    assert inbox.take(0.0) == [1]
