"""The rows on what an app uses besides messages: loading its folder, and JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from actors import Runtime
from benchmarks import big_app
from benchmarks.figures import Bar, Better
from benchmarks.harness import OURS, Sample, Scenario, Side, WrongAnswerError
from benchmarks.tutela_side import HOST, PATIENCE, tutela
from benchmarks.units import Unit

PYTHON_JSON: Final = "python json"
ENTRIES: Final = 300
ORDERS: Final = 62


def library_rows() -> tuple[Scenario, ...]:
    """Return the rows of this module."""
    return (
        _load(),
        _json("json_encode", "json.encode of 10 kB", _dumps),
        _json("json_decode", "json.decode of 10 kB", _loads),
    )


def document() -> dict[str, Any]:
    """Return a document of about 10 kB as JSON: texts, numbers, truth values, lists and objects."""
    orders = [
        {
            "id": f"order-{i:05}",
            "paid": i % 3 == 0,
            "customer": {"name": f"Zoë van Dam {i}", "city": "Łódź" if i % 2 else "Porto"},
            "lines": [{"sku": f"A{i}", "count": i % 7, "price": 12.5 + i}, {"sku": "B", "count": 1, "price": 3}],
        }
        for i in range(ORDERS)
    ]
    return {"orders": orders, "note": 'a "quoted" line\nand another', "total": 1234567.25}


def text_of(value: Any) -> str:
    """Return JSON as `json.encode` writes it: compact, keys sorted, nothing escaped that need not be."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _load() -> Scenario:
    @contextmanager
    def opened() -> Iterator[Sequence[Side]]:
        with TemporaryDirectory() as folder:
            yield [Side(OURS, lambda entries: _load_once(Path(folder) / str(entries), entries), ENTRIES, 30, ENTRIES)]

    title = f"an app of {ENTRIES} entries is loaded and started, warm"
    return Scenario("load", title, Unit.SECONDS, Better.LESS, opened, (Bar(0.3),))


def _load_once(folder: Path, entries: int) -> Sample:
    if not folder.exists():
        big_app.write(folder, entries)
    started = time.perf_counter()
    runtime = Runtime.load(folder)
    loaded = time.perf_counter()
    with runtime:
        running = time.perf_counter()
        found = len(runtime.registry.find())
    if found != entries:
        raise WrongAnswerError(f"{found} of {entries} entries are there")
    return Sample(running - started, {"load ms": (loaded - started) * 1e3, "start ms": (running - loaded) * 1e3})


def _json(name: str, title: str, python: Callable[[int], int]) -> Scenario:
    text = text_of(document())
    expected = {"json_encode": len(text.encode()), "json_decode": ORDERS}[name]

    def timed(run: Callable[[int], int], count: int) -> Sample:
        started = time.perf_counter()
        found = run(count)
        taken = time.perf_counter() - started
        if found != expected * count:
            raise WrongAnswerError(f"{name}: got {found}, expected {expected * count}")
        return Sample(taken / count, {"bytes": len(text.encode())})

    @contextmanager
    def opened() -> Iterator[Sequence[Side]]:
        with tutela() as running:
            ours = running.runtime

            def lua(count: int) -> int:
                return int(ours.exec(f"bench:{name}", HOST, text, count, timeout=PATIENCE))

            yield [
                Side(OURS, lambda count: timed(lua, count), 3_000, 50, 300),
                Side(PYTHON_JSON, lambda count: timed(python, count), 3_000, 50, 300),
            ]

    bars = (Bar(1 / 3, PYTHON_JSON),)
    return Scenario(name, f"{title}; Python's json", Unit.SECONDS, Better.LESS, opened, bars)


def _dumps(count: int) -> int:
    value, size = document(), 0
    for _ in range(count):
        size += len(text_of(value).encode())
    return size


def _loads(count: int) -> int:
    text, orders = text_of(document()), 0
    for _ in range(count):
        orders += len(json.loads(text)["orders"])
    return orders
