"""The corpus of hostile Lua: what each file tries must fail, and its neighbours must go on (design §3, §4).

Every file begins with what it tries, what must hold, and how it must end:

    lives               it goes on until it is terminated
    ends                it ends by itself, well or badly
    ends_or_lives       one of the two
    returns VALUE       main returns it
    fails TEXT          the process fails, with a message that has this pattern
    fails_or_lives TEXT one of the two
    no_start TEXT       the spawn fails
    refused TEXT        the app does not load

Other fields: `host` (fields of the host), `memory` (megabytes of the VM), `vm: may be lost`, and for sources that are
too long to be written down, `repeat: COUNT PIECE FRAME` (~ stands for a blank) or `bytes`.
"""

from __future__ import annotations

import ast
import contextlib
import queue
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors import Mailbox, ProcessError, Runtime, ServiceChanged
from registry import FaultsError

CORPUS = Path(__file__).parent / "corpus"
APP = Path(__file__).parent / "app"
PINGS = 10
OUTCOMES = ("lives", "ends", "ends_or_lives", "returns", "fails", "fails_or_lives", "no_start", "refused")


@dataclass(frozen=True)
class Case:
    """A file of the corpus, taken apart."""

    source: bytes
    outcome: str
    text: str
    fields: dict[str, str]


def read_case(path: Path) -> Case:
    text = path.read_text()
    fields = dict(re.findall(r"^-- (\w+): (.*)$", text, flags=re.MULTILINE))
    assert {"tries", "holds", "outcome"} <= fields.keys(), f"{path.name} does not say what it tries and what must hold"
    source = text.encode()
    if "repeat" in fields:
        count, piece, frame = fields["repeat"].split(" ", 2)
        source = frame.replace("TEXT", piece.replace("~", " ") * int(count)).replace("~", " ").encode()
    if "bytes" in fields:
        source = fields["bytes"].encode().decode("unicode_escape").encode("latin-1")
    outcome, _, pattern = fields["outcome"].partition(" ")
    assert outcome in OUTCOMES, f"{path.name}: unknown outcome {outcome}"
    return Case(source, outcome, pattern, fields)


def make_app(folder: Path, case: Case) -> Path:
    shutil.copytree(APP, folder / "app")
    (folder / "app" / "hostile.lua").write_bytes(case.source)
    options = "".join(
        f", {key}: {value}" for key, _, value in [f.partition("=") for f in case.fields.get("host", "").split()]
    )
    index = folder / "app" / "_index.yaml"
    index.write_text(
        index.read_text() + "  - name: host\n    kind: process.host\n    host: { workers: 1" + options + " }\n"
        "    lifecycle: { auto_start: true }\n"
        "  - name: main\n    kind: process.lua\n    modules: [time]\n    source: file://hostile.lua\n"
    )
    return folder / "app"


class Neighbourhood:
    """The innocent processes around, and a mailbox to talk with them."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.box: Mailbox = rt.mailbox()
        self._changes: queue.Queue[object] = queue.Queue()
        rt.watch(self._changes.put)

    def ask(self, name: str = "neighbour") -> None:
        """Ping a neighbour and wait for its answer; while it is being restarted, wait for that."""
        while (pid := self.rt.lookup(name)) is None:
            change = self._changes.get()
            assert isinstance(change, ServiceChanged) or change is not None
        self.rt.send(pid, "ping", self.box.pid)
        answer = self.box.receive()
        assert answer.topic == "pong"
        assert answer.payload == {"broken": []}


def literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


@pytest.mark.parametrize("name", sorted(path.stem for path in CORPUS.glob("*.lua")))
def test_hostile_lua_harms_nobody_else(name: str, tmp_path: Path) -> None:
    case = read_case(CORPUS / f"{name}.lua")
    app = make_app(tmp_path, case)
    memory = int(case.fields.get("memory", "96")) << 20
    if case.outcome == "refused":
        with pytest.raises(FaultsError, match=case.text) as refused, Runtime.load(app, vm_memory=memory):
            pass
        assert "hostile.lua" in str(refused.value)
        return
    with Runtime.load(app, vm_memory=memory, seed=1, stuck_after=120.0) as rt:
        around = Neighbourhood(rt)
        around.ask()
        if case.outcome == "no_start":
            with pytest.raises(ProcessError, match=case.text):
                rt.spawn("hostile:main", "hostile:host", "hostile:main", "hostile:host")
        else:
            watch_it(rt, around, case)
        around.ask()
        if "vm" not in case.fields:
            assert rt.hosts()[0].vms_lost == 0
        rt.stop(0)


def watch_it(rt: Runtime, around: Neighbourhood, case: Case) -> None:
    if not case.outcome.endswith("lives"):
        judge_end(rt, case)
        return
    main = rt.spawn("hostile:main", "hostile:host", "hostile:main", "hostile:host")
    gone = caught(lambda: around.box.monitor(main))
    if gone is not None:
        assert (gone.kind, case.outcome != "lives") == ("NotFound", True), "it did not live"
        return
    for _ in range(PINGS):
        around.ask()
    with contextlib.suppress(ProcessError):
        rt.terminate(main)
    result = around.box.events.receive().result
    error = result.get("error")
    if case.outcome != "ends_or_lives":
        assert error is not None, f"it returned {result}"
        assert error.message == "process terminated" or (
            case.outcome == "fails_or_lives" and re.search(case.text, error.message)
        ), f"it did not live: {error}"


def judge_end(rt: Runtime, case: Case) -> None:
    """Run it to its end."""
    results: list[Any] = []
    error = caught(lambda: results.append(rt.exec("hostile:main", "hostile:host", "hostile:main", "hostile:host")))
    if error is not None:
        assert case.outcome in ("fails", "ends"), f"it failed: {error}"
        assert re.search(case.text, error.message), error.message
    else:
        assert case.outcome in ("returns", "ends"), f"it returned {results}"
        if case.outcome == "returns":
            assert results == [literal(case.text)]


def caught(act: Callable[[], object]) -> ProcessError | None:
    try:
        act()
    except ProcessError as error:
        return error
    return None
