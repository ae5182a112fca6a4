"""Bad neighbours: an endless loop, an endless recursion, a memory hog and ten chatty senders in one host of one worker.

Meanwhile Python pings a hundred processes of the same host, one after the other, and looks at what becomes of all.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from actors import ProcessError, Runtime
from benchmarks.figures import percentile
from benchmarks.machine import resident_bytes

HOST = "arena:host"


@dataclass(frozen=True, slots=True)
class Trouble:
    """How much trouble is made.

    Attributes:
        seconds: how long the pings go on among the neighbours; as long again, at most, until the hog's fate is known.
        calm_seconds: how long they go on before, alone, for comparison.
        waiters: how many processes are asked.
        chatty: how many senders flood one bounded mailbox.
        patience: after how many seconds a ping counts as lost.
        vm_bytes: the memory that the VM of the host may take.
        most_bytes: where the benchmark gives up, should nobody stop the hog.
    """

    seconds: float = 5.0
    calm_seconds: float = 0.5
    waiters: int = 100
    chatty: int = 10
    patience: float = 2.0
    vm_bytes: int = 512 << 20
    most_bytes: int = 4 << 30


@dataclass(slots=True)
class Pings:
    """Round trips in seconds, in their order; a lost one counts with the patience it took."""

    trips: list[float] = field(default_factory=list)
    lost: int = 0


class Arena:
    """The processes of the scenario on a running `arena` app."""

    def __init__(self, runtime: Runtime, trouble: Trouble) -> None:
        self._runtime = runtime
        self._trouble = trouble
        self._box = runtime.mailbox()
        self._serial = 0
        self.waiters = [runtime.spawn("arena:waiter", HOST) for _ in range(trouble.waiters)]
        self.replaced = 0

    def ping_for(self, seconds: float, also_until: threading.Event | None = None) -> Pings:
        """Ping one process after the other for `seconds`, and up to as long again until `also_until` is set."""
        made = Pings()
        started = time.monotonic()
        while True:
            gone = time.monotonic() - started
            if gone >= seconds and (also_until is None or also_until.is_set() or gone >= 2 * seconds):
                return made
            if resident_bytes() > self._trouble.most_bytes:
                raise MemoryError(f"a hog that nobody stopped took {self._trouble.most_bytes >> 30} GB")
            self._ping(made)

    def survivors(self) -> int:
        """Ping all at once and return how many answer while the patience lasts."""
        waiting = set()
        for waiter in self.waiters:
            self._serial += 1
            with suppress(ProcessError):
                self._runtime.send(waiter, "ping", {"reply_to": self._box.pid, "i": self._serial})
                waiting.add(self._serial)
        asked = len(waiting)
        until = time.monotonic() + self._trouble.patience
        while waiting and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                waiting.discard(self._box.receive(timeout=left).payload)
        return asked - len(waiting)

    def _ping(self, made: Pings) -> None:
        place = self._serial % len(self.waiters)
        self._serial += 1
        started = time.perf_counter()
        try:
            self._runtime.send(self.waiters[place], "ping", {"reply_to": self._box.pid, "i": self._serial})
            # an answer that came too late for an earlier ping is passed over
            while self._box.receive(timeout=self._trouble.patience).payload != self._serial:
                pass
        except TimeoutError:
            made.lost += 1
        except ProcessError:
            # it went down with its VM: what matters now is whether the host takes a new one and serves it
            self.replaced += 1
            made.lost += 1
            self.waiters[place] = self._runtime.spawn("arena:waiter", HOST)
        made.trips.append(time.perf_counter() - started)


class Fate(threading.Thread):
    """Runs one bad neighbour and keeps how it ended."""

    def __init__(self, runtime: Runtime, entry: str, patience: float) -> None:
        super().__init__(name=f"fate of {entry}", daemon=True)
        self._runtime = runtime
        self._entry = entry
        self._patience = patience
        self.known = threading.Event()
        self.text = "runs on"

    def run(self) -> None:
        try:
            value = self._runtime.exec(self._entry, HOST, timeout=self._patience)
            self.text = f"returned {value!r}"
        except ProcessError as error:
            self.text = str(error).splitlines()[0]
        except TimeoutError:
            self.text = "still ran, and was terminated by the benchmark"
        self.known.set()


def run(app: str, trouble: Trouble) -> dict[str, Any]:
    """Run the scenario and return its figures: times in seconds, counts, and the fates as text."""
    with Runtime.load(app, vm_memory=trouble.vm_bytes) as runtime:
        arena = Arena(runtime, trouble)
        alone = arena.ping_for(trouble.calm_seconds)
        sink = runtime.spawn("arena:flooded", HOST)
        others = [runtime.spawn("arena:chatty_sender", HOST, sink) for _ in range(trouble.chatty)]
        others.append(runtime.spawn("arena:endless_loop", HOST))
        hog = Fate(runtime, "arena:memory_hog", 2 * trouble.seconds)
        deep = Fate(runtime, "arena:endless_recursion", 2 * trouble.seconds)
        deep.start()
        hog.start()
        among = arena.ping_for(trouble.seconds, hog.known)
        survivors = arena.survivors()
        hog.join(trouble.patience + 2 * trouble.seconds)
        deep.join(trouble.patience + 2 * trouble.seconds)
        alive = {process.pid for process in runtime.processes()}
        most = resident_bytes()
        stopping = time.perf_counter()
    return {
        "median": percentile(among.trips, 0.5),
        "p90": percentile(among.trips, 0.9),
        "p99": percentile(among.trips, 0.99),
        "max": max(among.trips),
        "alone": percentile(alone.trips, 0.5),
        "pings": len(among.trips),
        "lost": among.lost,
        "survivors": survivors,
        "replaced": arena.replaced,
        "neighbours_alive": sum(pid in alive for pid in others),
        "hog": hog.text,
        "recursion": deep.text,
        "resident": most,
        "stop": time.perf_counter() - stopping,
    }
