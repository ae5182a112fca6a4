"""Waiting for the answer to a request, as a thread or as a coroutine."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.clock import Clock, SystemClock
from actors.errors import Failure, ProcessError
from actors.hosts import Call, Request


def wait(clock: Clock, request: Request, timeout: float | None = None) -> Any:
    """Begin a request, wait for its answer on this thread, and return it. Whatever ends the wait gives the request up.

    Args:
        timeout: seconds of `clock`; None for ever.

    Raises:
        ProcessError: what the request failed with.
        TimeoutError: no answer in time.
    """
    if isinstance(request, Call) and request.patient:
        answer = request.now()
        if answer is not None:
            return _value(request, *answer)
    box = clock.inbox(caller=True)
    deadline = None if timeout is None else clock.monotonic() + timeout
    try:
        request.begin(lambda ok, value: box.put((ok, value)))
        answers = box.take(deadline)
        if not answers:
            raise TimeoutError(f"no answer within {timeout} s")
    except BaseException:
        request.give_up()
        raise
    finally:
        box.close()
    return _value(request, *answers[0])


async def awaited(clock: Clock, request: Request, timeout: float | None = None) -> Any:  # noqa: ASYNC109
    """As `wait`, without blocking the event loop; a cancellation gives the request up.

    The timeout is in real seconds on the system's clock. On any other the wait takes a thread, so that time can pass.
    """
    if not isinstance(clock, SystemClock):
        try:
            return await asyncio.to_thread(wait, clock, request, timeout)
        except asyncio.CancelledError:
            request.give_up()  # which also ends the thread's wait
            raise
    loop = asyncio.get_running_loop()
    future: asyncio.Future[tuple[bool, Any]] = loop.create_future()

    def settle(ok: bool, value: Any) -> None:
        if not future.done():
            future.set_result((ok, value))

    def answered(ok: bool, value: Any) -> None:
        wake(loop, lambda: settle(ok, value))

    try:
        request.begin(answered)
        async with asyncio.timeout(timeout):
            ok, value = await future
    except BaseException:
        request.give_up()
        raise
    return _value(request, ok, value)


def wake(loop: asyncio.AbstractEventLoop, call: Any) -> bool:
    """Have `call` called on a loop's thread; False when the loop is closed, whose coroutines wait no more."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return False
    return True


def _value(request: Request, ok: bool, value: Any) -> Any:
    if ok:
        return value
    raise ProcessError.of(value if isinstance(value, Failure) else Failure(str(value)), request.pid or None)
