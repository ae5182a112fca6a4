"""The asyncio forms of the embedding API, and threads: nothing blocks the loop, a cancellation ends what it began."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from actors import ProcessError, Runtime, VirtualClock

ENTRIES = """
- name: processes
  kind: process.host
  host: { workers: 2 }
  lifecycle: { auto_start: true, stop_timeout: 100ms }
- name: echo
  kind: process.lua
  source: |
    return { main = function()
      local inbox = process.inbox()
      while true do
        local m = inbox:receive()
        local data = m:payload():data()
        process.send(data.reply_to, m:topic(), data)
      end
    end }
- name: identity
  kind: process.lua
  source: |
    return { main = function(...) return ... end }
- name: deaf
  kind: process.lua
  source: |
    return { main = function() process.inbox():receive() end }
- name: svc
  kind: process.service
  process: deaf
  host: processes
  lifecycle: { stop_timeout: 10ms }
- name: add
  kind: function.lua
  method: add
  source: |
    return { add = function(a, b) return a + b end }
- name: wait
  kind: function.lua
  method: wait
  modules: [time]
  source: |
    return { wait = function(d) require("time").sleep(d) return "slept" end }
"""


@pytest.fixture
def folder(app: Callable[..., Path]) -> Path:
    return app(ENTRIES)


def run(folder: Path, body: Callable[[Runtime], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def main() -> None:
        async with Runtime.load(folder, **options) as rt:
            await body(rt)

    asyncio.run(main())


def test_every_call_that_waits_has_an_asyncio_form(folder: Path) -> None:
    async def body(rt: Runtime) -> None:
        box = rt.mailbox()
        assert await rt.acall("app:add", 2, 3) == 5
        assert await rt.aexec("app:identity", "app:processes", [1]) == [1]
        pid = await rt.aspawn("app:echo", "app:processes", name="e")
        assert await rt.aspawn("app:echo", "app:processes", name="e") == pid
        await box.amonitor(pid)
        rt.send(pid, "x", {"reply_to": box.pid})
        assert (await box.areceive()).topic == "x"
        rt.terminate(pid)
        assert (await box.events.areceive()).sender == pid
        await rt.astart_service("app:svc")
        await rt.astop_service("app:svc")
        for wrong in (rt.acall("app:nothing"), rt.aspawn("app:nothing", "app:processes"), box.amonitor("nobody")):
            with pytest.raises(ProcessError):
                await wrong
        for late in (
            rt.acall("app:wait", "1h", timeout=0.01),
            rt.aexec("app:deaf", "app:processes", timeout=0.01),
            box.areceive(timeout=0.01),
            box.areceive(timeout=0),
        ):
            with pytest.raises(TimeoutError):
                await late

    run(folder, body)


def test_the_loop_goes_on_while_calls_wait(folder: Path) -> None:
    async def body(rt: Runtime) -> None:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        turning = asyncio.create_task(turn())
        results = await asyncio.gather(*(rt.acall("app:wait", "20ms") for _ in range(20)))
        turning.cancel()
        assert results == ["slept"] * 20
        assert turns > 20

    run(folder, body)


def test_a_cancellation_ends_what_was_begun(folder: Path) -> None:
    async def body(rt: Runtime) -> None:
        box = rt.mailbox()
        tasks = [
            asyncio.create_task(rt.aexec("app:deaf", "app:processes")),
            asyncio.create_task(rt.acall("app:wait", "1h")),
            asyncio.create_task(rt.aspawn("app:deaf", "app:processes")),
            asyncio.create_task(box.areceive()),
        ]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks, return_exceptions=True))
        for _ in range(4):  # twice on each worker, behind the ends of those that had only begun
            await rt.aexec("app:identity", "app:processes")
            await rt.acall("app:add", 1, 1)
        assert [process.entry for process in rt.processes()] == []
        # who has gone takes no message away
        rt.send(box.pid, "x", 1)
        assert (await box.areceive()).payload == 1

    run(folder, body)


def test_a_start_that_is_canceled_leaves_nothing_running(folder: Path) -> None:
    async def main() -> None:
        rt = Runtime.load(folder)
        task = asyncio.create_task(rt.astart())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert rt.processes() == []
        with pytest.raises(ProcessError):
            rt.call("app:add", 1, 2)

    asyncio.run(main())


def test_one_message_wakes_one_of_those_who_wait(folder: Path) -> None:
    async def body(rt: Runtime) -> None:
        box = rt.mailbox()
        tasks = [asyncio.create_task(box.areceive()) for _ in range(5)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        for i in range(4):
            rt.send(box.pid, "x", i)
        received = await asyncio.gather(*tasks[1:])
        assert sorted(message.payload for message in received) == [0, 1, 2, 3]

    run(folder, body)


def test_an_answer_for_a_loop_that_is_closed_harms_nobody(folder: Path) -> None:
    with Runtime.load(folder) as rt:
        loop = asyncio.new_event_loop()
        task = loop.create_task(rt.aexec("app:deaf", "app:processes"))
        loop.call_soon(loop.stop)
        loop.run_forever()
        (pid,) = [p.pid for p in rt.processes() if p.entry == "app:deaf"] or [""]
        while not pid:
            (pid,) = [p.pid for p in rt.processes() if p.entry == "app:deaf"] or [""]
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()
        rt.send(pid, "end")
        assert rt.exec("app:identity", "app:processes", 1) == 1
        assert rt.hosts()[0].vms_lost == 0
        del task


def test_under_virtual_time_the_asyncio_forms_let_time_pass(folder: Path) -> None:
    clock = VirtualClock()

    async def body(rt: Runtime) -> None:
        before = clock.monotonic()
        assert await rt.acall("app:wait", "24h") == "slept"
        assert clock.monotonic() - before == pytest.approx(86400)
        with pytest.raises(TimeoutError):
            await rt.acall("app:wait", "24h", timeout=3600)
        assert clock.monotonic() - before == pytest.approx(90000)

    run(folder, body, clock=clock)


def test_many_threads_use_one_runtime(folder: Path) -> None:
    failures: list[BaseException] = []

    def work(rt: Runtime, number: int) -> None:
        try:
            box = rt.mailbox()
            pid = rt.spawn("app:echo", "app:processes", name=f"echo {number}")
            box.monitor(pid)
            for i in range(40):
                assert rt.call("app:add", i, number) == i + number
                assert rt.exec("app:identity", "app:processes", [number, i]) == [number, i]
                rt.send(f"echo {number}", "n", {"reply_to": box.pid, "i": i})
                assert box.receive().payload["i"] == i
                assert rt.lookup(f"echo {number}") == pid
                rt.processes()
            rt.terminate(pid)
            assert box.events.receive().sender == pid
            box.close()
        except BaseException as error:
            failures.append(error)

    with Runtime.load(folder) as rt:
        threads = [threading.Thread(target=work, args=(rt, number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert [process.entry for process in rt.processes()] == []


def test_many_threads_wait_at_one_mailbox(folder: Path) -> None:
    with Runtime.load(folder) as rt:
        box = rt.mailbox()
        got: list[int] = []

        def take() -> None:
            for _ in range(50):
                got.append(box.receive().payload)

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for i in range(200):
            rt.send(box.pid, "x", i)
        for thread in threads:
            thread.join()
        assert sorted(got) == list(range(200))


PROGRAM = """
import os, signal, sys, threading
from actors import Runtime
rt = Runtime.load(sys.argv[1])
try:
    with rt:
        print("started", flush=True)
        {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
print("left", left, rt.processes(), flush=True)
"""


@pytest.mark.parametrize(
    "wait",
    [
        'rt.exec("app:deaf", "app:processes")',
        'rt.call("app:wait", "1h")',
        "rt.mailbox().receive()",
        'import asyncio; asyncio.run(rt.aexec("app:deaf", "app:processes"))',
    ],
)
def test_ctrl_c_ends_a_wait_and_leaves_nothing(folder: Path, wait: str) -> None:
    root = Path(__file__).parent.parent
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(wait=wait), str(folder)],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "started\n"
        os.kill(program.pid, signal.SIGINT)
        assert program.stdout.read() == "interrupted\nleft [] []\n"
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
