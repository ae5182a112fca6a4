"""The base actor: messages, timers, failures, and its end."""

from __future__ import annotations

import logging
from typing import Any

import pykka
import pytest

from actors.actor import Actor, wait_for
from actors.clock import Clock, SystemClock, VirtualClock


class Recorder(Actor):
    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock=clock, name="recorder")
        self.seen: list[Any] = []
        self.refused: list[Any] = []
        self.failures: list[Any] = []

    def on_event(self, event: Any) -> None:
        self.seen.append(event)

    def on_receive(self, message: Any) -> Any:
        self.seen.append(message)
        if isinstance(message, Exception):
            raise message
        return ("got", message)

    def on_refused(self, item: Any) -> None:
        self.refused.append(item)

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.failures.append(exception_value)

    def note(self, what: Any) -> None:
        self.seen.append((self.clock.monotonic(), what))


def _end(actor: Actor) -> None:
    actor.stop()
    assert actor.join(10)


def test_messages_events_and_callables_are_handled_in_the_order_in_which_they_were_put(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)
    actor.post("event")
    actor.actor_ref.tell("message")
    actor.post(lambda: actor.seen.append("call"))
    clock.settle()
    assert actor.seen == ["event", "message", "call"]
    _end(actor)


def test_ask_stop_and_proxies_work_as_in_pykka() -> None:
    ref = Recorder.start(SystemClock())
    assert ref.ask("x", timeout=10) == ("got", "x")
    assert ref.proxy().name.get(timeout=10) == "recorder"
    with pytest.raises(ValueError, match="mine"):
        ref.ask(ValueError("mine"), timeout=10)
    assert ref.is_alive()
    assert ref.stop(timeout=10) is True
    assert ref.stop(timeout=10) is False
    with pytest.raises(pykka.ActorDeadError):
        ref.tell("late")


def test_timers_fire_at_their_exact_times_in_order_and_not_when_cancelled(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)

    def plan() -> None:
        actor.call_later(2.0, lambda: actor.note("two"))
        actor.call_at(1.0, lambda: actor.note("one"))
        actor.call_at(1.0, lambda: actor.note("one again"))
        gone = actor.call_later(1.5, lambda: actor.note("never"))
        actor.call_later(1.0, gone.cancel)

    actor.post(plan)
    clock.advance(1.0)
    assert actor.seen == [(1.0, "one"), (1.0, "one again")]
    clock.advance(86_400.0)
    assert actor.seen[2:] == [(2.0, "two")]
    assert clock.monotonic() == 86_401.0
    _end(actor)


def test_a_timer_cancelled_by_one_of_the_same_moment_does_not_fire(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)

    def plan() -> None:
        actor.call_at(1.0, lambda: second.cancel())
        second = actor.call_at(1.0, lambda: actor.note("never"))

    actor.post(plan)
    clock.advance(2.0)
    assert actor.seen == []
    _end(actor)


def test_many_cancelled_timers_take_no_memory_until_they_would_be_due(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)

    def plan() -> None:
        actor.call_later(5.0, lambda: actor.note("kept"))
        for _ in range(10_000):
            actor.call_later(1000.0, lambda: None).cancel()
        actor.seen.append(len(actor._timers._heap))

    actor.post(plan)
    clock.advance(6.0)
    assert actor.seen[0] < 200
    assert actor.seen[1] == (5.0, "kept")
    _end(actor)


def test_a_timer_that_keeps_setting_itself_to_now_does_not_keep_messages_waiting(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)

    def again() -> None:
        if not actor.seen:
            actor.call_later(0.0, again)

    actor.post(again)
    assert wait_for(clock, lambda done: actor.post(lambda: (actor.seen.append("heard"), done(True))))
    _end(actor)


def test_all_waiting_items_come_in_one_batch(clock: VirtualClock) -> None:
    class Batches(Recorder):
        def on_batch(self, items: list[Any]) -> None:
            self.seen.append(len(items))
            super().on_batch(items)

    actor = Batches(clock)
    for _ in range(100):
        actor.post(lambda: None)
    actor._start_actor_loop()
    clock.settle()
    assert actor.seen == [100]
    _end(actor)


def test_an_error_ends_only_the_actor_that_it_is_in(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    first, second = Recorder.launch(clock), Recorder.launch(clock)
    first.post(lambda: 1 / 0)
    first.post("waiting behind it")
    assert first.join(10)
    assert isinstance(first.failures[0], ZeroDivisionError)
    assert first.refused == ["waiting behind it"]
    assert "ZeroDivisionError" in caplog.text
    second.post("still here")
    clock.settle()
    assert second.seen == ["still here"]
    _end(second)


def test_even_a_system_exit_inside_an_actor_stops_no_other(clock: VirtualClock) -> None:
    first, second = Recorder.launch(clock), Recorder.launch(clock)

    def leave() -> None:
        raise SystemExit

    first.post(leave)
    assert first.join(10)
    assert second.actor_ref.is_alive()
    _end(second)


def test_an_error_in_a_timer_or_in_on_start_ends_the_actor_and_is_told(clock: VirtualClock) -> None:
    class BadStart(Recorder):
        def on_start(self) -> None:
            raise RuntimeError("bad start")

    bad = BadStart.launch(clock)
    assert bad.join(10)
    assert str(bad.failures[0]) == "bad start"
    timed = Recorder.launch(clock)
    timed.post(lambda: timed.call_later(1.0, lambda: 1 / 0))
    clock.advance(1.0)
    assert timed.join(10)
    assert len(timed.failures) == 1


def test_what_comes_after_the_end_is_refused(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)
    actor.stop()
    waiting = actor.actor_ref.ask("too late", block=False)
    actor.stop()
    assert actor.join(10)
    actor.post("much too late")
    assert actor.refused == ["much too late"]
    with pytest.raises(pykka.ActorDeadError):
        waiting.get(timeout=10)


def test_actors_are_not_in_the_registry_of_pykka_so_that_nobody_else_stops_them(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)
    assert actor.actor_ref not in pykka.ActorRegistry.get_all()
    pykka.ActorRegistry.stop_all()
    assert actor.actor_ref.is_alive()
    _end(actor)


def test_join_waits_for_the_actors_that_an_actor_launched_too(clock: VirtualClock) -> None:
    parent = Recorder.launch(clock)
    children: list[Recorder] = []
    parent.post(lambda: children.append(Recorder.launch(clock)))
    clock.settle()
    parent.stop()
    assert not parent.join(0.0)
    children[0].stop()
    assert parent.join(10)
    assert not children[0]._alive()


def test_join_does_not_wait_for_a_daemon_that_an_actor_launched(clock: VirtualClock) -> None:
    class Daemon(Recorder):
        use_daemon_thread = True

    parent = Recorder.launch(clock)
    children: list[Recorder] = []
    parent.post(lambda: children.append(Daemon.launch(clock)))
    clock.settle()
    _end(parent)
    assert children[0]._alive()
    _end(children[0])


def test_the_thread_bears_the_actor_s_name_and_is_no_daemon(clock: VirtualClock) -> None:
    actor = Recorder.launch(clock)
    assert actor._thread is not None
    assert actor._thread.name == "recorder"
    assert not actor._thread.daemon
    _end(actor)


def test_waiting_for_an_answer_that_does_not_come_ends_with_the_virtual_time_out(clock: VirtualClock) -> None:
    with pytest.raises(TimeoutError):
        wait_for(clock, lambda done: None, timeout=3600.0)
    assert clock.monotonic() == 3600.0


def test_an_event_that_nobody_expects_is_logged(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    actor: Actor = Actor.launch(clock=clock)
    with caplog.at_level(logging.WARNING):
        actor.post("what?")
        clock.settle()
    assert "unexpected event 'what?'" in caplog.text
    _end(actor)
