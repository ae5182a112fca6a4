"""Memory of an actor that waits, in a fresh program. Argument: how many. Prints JSON."""

import json
import sys

import pykka

from benchmarks.machine import resident_bytes


class Waiter(pykka.ThreadingActor):
    def on_receive(self, message: int) -> int:
        return message


def main(count: int) -> None:
    warm = [Waiter.start() for _ in range(20)]
    before = resident_bytes()
    made = [Waiter.start() for _ in range(count)]
    for i, waiter in enumerate(made):
        waiter.ask(i)
    after = resident_bytes()
    print(json.dumps({"bytes": (after - before) / count, "answered": count}))
    for waiter in (*warm, *made):
        waiter.stop()


main(int(sys.argv[1]))
