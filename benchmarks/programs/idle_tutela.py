"""Memory of a process that waits, in a fresh program. Arguments: the app folder, how many. Prints JSON."""

import json
import sys

from actors import Runtime
from benchmarks.machine import resident_bytes
from benchmarks.tutela_side import Crowd

WARM_UP = 1_000


def main(app: str, count: int) -> None:
    with Runtime.load(app) as rt, Crowd(rt) as crowd:
        crowd.grow(WARM_UP)
        crowd.ask()
        before = resident_bytes()
        crowd.grow(count)
        after = resident_bytes()
        answered = crowd.ask()
    print(json.dumps({"bytes": (after - before) / count, "answered": answered - WARM_UP}))


main(sys.argv[1], int(sys.argv[2]))
