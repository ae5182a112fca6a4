"""pykka as a rival: the same exchanges between threads that are actors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pykka

from benchmarks.harness import Sample, WrongAnswerError

NAME = "pykka"
PATIENCE = 300.0


class _Ping(pykka.ThreadingActor):
    """Answers each message with one made by `again`; ends the exchange at the `rounds`-th (never when negative)."""

    def __init__(self, rounds: int, done: threading.Event, again: Callable[[Any, pykka.ActorRef[Any]], Any]) -> None:
        super().__init__()
        self._left = rounds
        self._done = done
        self._again = again

    def on_receive(self, message: Any) -> None:
        peer, payload = message
        self._left -= 1
        if self._left == 0:
            self._done.set()
            return
        peer.tell((self.actor_ref, self._again(payload, self.actor_ref)))


class _Sink(pykka.ThreadingActor):
    def __init__(self, count: int, done: threading.Event) -> None:
        super().__init__()
        self._left = count
        self._done = done
        self.sum = 0

    def on_receive(self, message: Any) -> None:
        self.sum += message
        self._left -= 1
        if self._left == 0:
            self._done.set()


class _Sender(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> None:
        sink, count = message
        for i in range(1, count + 1):
            sink.tell(i)


class _Node(pykka.ThreadingActor):
    def __init__(self, rounds: int, done: threading.Event | None) -> None:
        super().__init__()
        self._left = rounds
        self._done = done
        self._next: pykka.ActorRef[Any] | None = None

    def on_receive(self, message: Any) -> None:
        if isinstance(message, pykka.ActorRef):
            self._next = message
            return
        if self._left == 0 or self._next is None:
            return
        self._left -= 1
        self._next.tell(message)
        if self._left == 0 and self._done is not None:
            self._done.set()


class _Adder(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> Any:
        return message[0] + message[1]


class _Leaf(pykka.ThreadingActor):
    def on_receive(self, message: Any) -> None:
        self.stop()


def pingpong_integer(rounds: int) -> Sample:
    """Two actors tell each other an integer."""
    return _pingpong(rounds, lambda payload, _: payload + 1, lambda _: 1)


def pingpong_table(rounds: int) -> Sample:
    """Two actors tell each other a dict of two fields."""
    return _pingpong(
        rounds, lambda payload, me: {"from": me, "i": payload["i"] + 1}, lambda first: {"from": first, "i": 1}
    )


def _pingpong(
    rounds: int,
    again: Callable[[Any, pykka.ActorRef[Any]], Any],
    first: Callable[[pykka.ActorRef[Any]], Any],
) -> Sample:
    done = threading.Event()
    one = _Ping.start(rounds, done, again)
    two = _Ping.start(-1, done, again)  # never ends it: the count is the first one's
    try:
        started = time.perf_counter()
        one.tell((two, first(two)))
        _wait(done)
        return Sample((2 * rounds - 1) / (time.perf_counter() - started))
    finally:
        one.stop()
        two.stop()


def ring(size: int, rounds: int) -> Sample:
    """A token goes round among as many threads."""
    done = threading.Event()
    nodes = [_Node.start(rounds, done if i == size - 1 else None) for i in range(size)]
    try:
        for node, successor in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
            node.tell(successor)
        started = time.perf_counter()
        nodes[0].tell(1)
        _wait(done)
        return Sample(size * rounds / (time.perf_counter() - started))
    finally:
        for node in nodes:
            node.stop()


def fan_in(senders: int, count: int) -> Sample:
    """Many actors tell one."""
    done = threading.Event()
    sink = _Sink.start(senders * count, done)
    told = [_Sender.start() for _ in range(senders)]
    try:
        started = time.perf_counter()
        for sender in told:
            sender.tell((sink, count))
        _wait(done)
        return Sample(senders * count / (time.perf_counter() - started))
    finally:
        sink.stop()
        for sender in told:
            sender.stop()


def stream(count: int) -> Sample:
    """One thread tells an actor, which never answers."""
    done = threading.Event()
    sink = _Sink.start(count, done)
    try:
        started = time.perf_counter()
        for i in range(1, count + 1):
            sink.tell(i)
        _wait(done)
        return Sample(count / (time.perf_counter() - started))
    finally:
        sink.stop()


def births(count: int) -> Sample:
    """Actors that are told once and stop; the time of each, its end included."""
    started = time.perf_counter()
    made = [_Leaf.start() for _ in range(count)]
    for leaf in made:
        leaf.tell(None)
    for leaf in made:
        if not leaf.actor_stopped.wait(PATIENCE):
            raise WrongAnswerError("an actor that should stop lives on")
    return Sample((time.perf_counter() - started) / count)


def ask(count: int) -> Sample:
    """A thread asks an actor for a sum and waits for it however long it takes, again and again."""
    return _asks(count, None)


def ask_limited(count: int) -> Sample:
    """The same, each question with a time limit."""
    return _asks(count, PATIENCE)


def _asks(count: int, timeout: float | None) -> Sample:
    adder = _Adder.start()
    try:
        started = time.perf_counter()
        for i in range(count):
            if adder.ask((i, 1), timeout=timeout) != i + 1:
                raise WrongAnswerError(f"{i} + 1 went wrong")
        return Sample(count / (time.perf_counter() - started))
    finally:
        adder.stop()


def start_ask_stop(count: int) -> Sample:
    """An actor of its own for each sum: start, ask, stop."""
    started = time.perf_counter()
    for i in range(count):
        adder = _Adder.start()
        if adder.ask((i, 1), timeout=PATIENCE) != i + 1:
            raise WrongAnswerError(f"{i} + 1 went wrong")
        adder.stop()
    return Sample(count / (time.perf_counter() - started))


def _wait(done: threading.Event) -> None:
    if not done.wait(PATIENCE):
        raise WrongAnswerError(f"the exchange did not end in {PATIENCE:g} seconds")
