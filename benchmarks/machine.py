"""What the figures were taken on, and the memory of the running program."""

from __future__ import annotations

import os
import platform
import resource
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

from benchmarks import erlang_rival


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine and the versions of all that takes part; a part that is missing is named so."""

    cores: int
    system: str
    python: str
    lupa: str
    luajit: str
    pykka: str
    erlang: str

    def line(self) -> str:
        """Return it in one line."""
        return (
            f"{self.cores} cores, {self.system}, Python {self.python}, lupa {self.lupa} ({self.luajit}), "
            f"pykka {self.pykka}, Erlang {self.erlang}"
        )


def describe() -> Machine:
    """Look at the machine; starts `erl` once when it is there."""
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        lupa=_version("lupa"),
        luajit=_luajit(),
        pykka=_version("pykka"),
        erlang=erlang_rival.version() if erlang_rival.available() else "not found",
    )


def resident_bytes() -> int:
    """Return the resident memory of this program; where the system does not tell, the most it ever had."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()


def _version(distribution: str) -> str:
    try:
        return installed(distribution)
    except PackageNotFoundError:
        return "not found"


def _luajit() -> str:
    try:
        return str(import_module("lupa.luajit21").LuaRuntime().eval("jit.version"))
    except ImportError:
        return "without LuaJIT 2.1"
