"""Bad neighbours in one host, in a program of its own. Arguments: the app folder, seconds of trouble. Prints JSON."""

import json
import sys

from benchmarks.hostile import Trouble, run

print(json.dumps(run(sys.argv[1], Trouble(seconds=float(sys.argv[2])))))
