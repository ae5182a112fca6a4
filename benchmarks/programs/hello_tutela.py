"""The whole program of the start-up row: import, start an app of ten entries, one answer. Argument: the app folder."""

import sys

from actors import Runtime

with Runtime.load(sys.argv[1]) as rt:
    print(rt.call("small:greet", "world"), flush=True)
