"""The command line of the benchmarks: `python -m benchmarks NAME`."""

from __future__ import annotations

import click

from benchmarks.throughput import throughput


@click.group()
def main() -> None:
    """Measure the runtime beside its rivals, both sides in one run."""


main.add_command(throughput)

if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
