"""The control socket of a running app: how `tutela ps` and its kin ask a live program about itself.

A program keeps a Unix domain socket `control.sock` in its state folder. Only the owner may open it. A client writes
one JSON object a line, `{"request": "ps", …}`, and gets one JSON object a line back, `{"ok": true, "result": …}` or
`{"ok": false, "error": {"kind": …, "message": …}}`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import selectors
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from actors.errors import ALREADY_EXISTS, INTERNAL, INVALID, NOT_FOUND, PERMISSION_DENIED, UNAVAILABLE, ProcessError

log = logging.getLogger(__name__)

SOCKET_NAME: Final = "control.sock"
LOCK_NAME: Final = "control.lock"
MAX_LINE: Final = 64 * 1024
MAX_CLIENTS: Final = 32
IDLE_SECONDS: Final = 30.0
STATE_VARIABLE: Final = "TUTELA_STATE"

# sockaddr_un holds 108 bytes on Linux and 104 elsewhere, the closing zero among them
_MAX_ADDRESS: Final = 103

Handler = Callable[[dict[str, Any]], Any]


class ControlError(ProcessError):
    """Raised when a control socket can't be opened, or when the other side refuses a request.

    `.kind` tells the case: ``AlreadyExists`` another live program has the state folder (give each its own),
    ``Unavailable`` nothing runs there, ``NotFound`` the program does not know the request, ``PermissionDenied`` the
    folder belongs to somebody else, ``Timeout`` the program did not answer in time.
    """


def state_folder(state: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder in which a runtime keeps its own files, without making it (spec cli.md §5.1).

    `state` counts first, then the environment variable ``TUTELA_STATE``, then ``.tutela`` under the current folder.
    """
    chosen = state or environ.get(STATE_VARIABLE) or ".tutela"
    return Path(chosen).absolute()


def make_state_folder(folder: Path) -> None:
    """Make `folder` for its owner alone, if it is not there yet.

    Raises:
        ControlError: it can't be made, is no folder, or belongs to another user.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        raise ControlError(
            f"the state folder {folder} can't be used: {error.strerror}; choose another with --state",
            kind=PERMISSION_DENIED if isinstance(error, PermissionError) else INVALID,
        ) from error
    if owner != os.geteuid():
        raise ControlError(
            f"the state folder {folder} belongs to another user; choose another with --state", kind=PERMISSION_DENIED
        )


@dataclass(slots=True)
class _Client:
    """A connection as the server sees it."""

    socket: socket.socket
    seen: float
    received: bytearray = field(default_factory=bytearray)
    pending: bytearray = field(default_factory=bytearray)
    ending: bool = False  # close as soon as `pending` is written


class ControlServer:
    """Answers requests on the control socket of a state folder, on one thread of its own.

    A handler is called on that thread, one request at a time, with the request as a dict; what it returns must be
    plain JSON data. A `ProcessError` from it goes to the client with its kind, any other exception as ``Internal``
    and into the log. Clients that send garbage, overlong lines, or nothing at all harm only themselves.

    Args:
        state: the state folder; made for its owner alone when missing.
        handlers: request name -> handler. The server looks into the mapping at each request.
        clock: seconds that never go back, for idle clients.
    """

    def __init__(
        self,
        state: str | os.PathLike[str],
        handlers: Mapping[str, Handler],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(state).absolute() / SOCKET_NAME
        self._handlers = handlers
        self._clock = clock
        self._clients: dict[int, _Client] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Open the socket and serve it until `stop`; the socket can be used when this returns.

        A socket left behind by a dead program is replaced.

        Raises:
            ControlError: another live program has this state folder, or the folder can't be used.
        """
        if self._thread is not None:
            return
        make_state_folder(self.path.parent)
        self._lock = _lock(self.path.parent / LOCK_NAME)
        self._short: Path | None = None
        try:
            self._listener = self._listen()
        except OSError as error:
            os.close(self._lock)
            raise ControlError(
                f"the control socket {self.path} can't be opened: {error.strerror or error}; choose another state "
                "folder with --state",
                kind=UNAVAILABLE,
            ) from error
        self._waker, self._wake = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._stopping.clear()
        self._thread = threading.Thread(target=self._serve, name="tutela-control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the socket and all connections, remove the socket, and wait for the thread. Idempotent."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        self._wake.send(b"x")
        thread.join()
        with contextlib.suppress(OSError):
            self.path.unlink()
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)
        self._selector.close()
        for closing in (self._listener, self._waker, self._wake):
            closing.close()
        os.close(self._lock)

    def __enter__(self) -> ControlServer:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _listen(self) -> socket.socket:
        # the lock is ours: whatever lies there belongs to nobody any more
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        address = self.path
        if len(os.fsencode(address)) > _MAX_ADDRESS:
            # bound in a short private folder, with a link in the state folder that clients follow by themselves
            self._short = Path(tempfile.mkdtemp(prefix="tutela-"))
            address = self._short / SOCKET_NAME
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(address))
            os.chmod(address, 0o600)  # before listen: nobody can connect earlier
            if self._short is not None:
                self.path.symlink_to(address)
            listener.listen(64)
            listener.setblocking(False)
        except OSError:
            listener.close()
            if self._short is not None:
                shutil.rmtree(self._short, ignore_errors=True)
            raise
        return listener

    def _serve(self) -> None:
        while not self._stopping.is_set():
            for key, events in self._selector.select(IDLE_SECONDS if self._clients else None):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is not self._waker:
                    client = self._clients.get(key.fd)
                    if client is not None:
                        self._tend(client, events)
            self._drop_idle()
        for client in list(self._clients.values()):
            self._drop(client)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if len(self._clients) >= MAX_CLIENTS:
            connection.close()
            return
        connection.setblocking(False)
        self._clients[connection.fileno()] = _Client(connection, self._clock())
        self._selector.register(connection, selectors.EVENT_READ)

    def _tend(self, client: _Client, events: int) -> None:
        client.seen = self._clock()
        try:
            if events & selectors.EVENT_READ and not client.ending:
                data = client.socket.recv(MAX_LINE)
                client.ending = not data
                client.received += data
                self._take_lines(client)
            if client.pending:
                sent = client.socket.send(client.pending)
                del client.pending[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        if client.ending and not client.pending:
            self._drop(client)
            return
        # while answers wait for a slow reader, nothing more is read from it
        self._selector.modify(client.socket, selectors.EVENT_WRITE if client.pending else selectors.EVENT_READ)

    def _take_lines(self, client: _Client) -> None:
        while (end := client.received.find(b"\n")) >= 0:
            line = bytes(client.received[:end])
            del client.received[: end + 1]
            if line.strip():
                client.pending += self._answer(line)
        if len(client.received) > MAX_LINE:
            client.received.clear()
            client.pending += _encode(_refusal(INVALID, f"a request line is longer than {MAX_LINE} bytes"))
            client.ending = True

    def _answer(self, line: bytes) -> bytes:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            return _encode(_refusal(INVALID, f"a request is one JSON object a line; this is none: {error}"))
        name = request.get("request") if isinstance(request, dict) else None
        if not isinstance(name, str):
            return _encode(_refusal(INVALID, 'a request is an object with a text field "request"'))
        handler = self._handlers.get(name)
        if handler is None:
            return _encode(_refusal(NOT_FOUND, f"unknown request {name!r}; known: {', '.join(sorted(self._handlers))}"))
        try:
            return _encode({"ok": True, "result": handler(request)})
        except ProcessError as error:
            return _encode(_refusal(error.kind, error.message))
        except Exception as error:
            log.exception("the control request %s failed", name)
            return _encode(_refusal(INTERNAL, f"{type(error).__name__}: {error}"))

    def _drop_idle(self) -> None:
        earliest = self._clock() - IDLE_SECONDS
        for client in [client for client in self._clients.values() if client.seen < earliest]:
            self._drop(client)

    def _drop(self, client: _Client) -> None:
        self._clients.pop(client.socket.fileno(), None)
        self._selector.unregister(client.socket)
        client.socket.close()


def ask(state: str | os.PathLike[str], request: str, *, timeout: float = 5.0, **more: Any) -> Any:
    """Put one request to the program that runs on a state folder, and return its result as plain data.

    `more` are further fields of the request. Blocks until the answer is there, at most about `timeout` seconds.

    Raises:
        ControlError: nothing runs there, it did not answer in time, or it refused (with its kind).
    """
    path = Path(state).absolute() / SOCKET_NAME
    nothing = f"nothing runs on the state folder {path.parent}: start the app, or name its folder with --state"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(timeout)
        try:
            client.connect(os.readlink(path) if path.is_symlink() else str(path))
            client.sendall(_encode({**more, "request": request}))
            line = _read_line(client)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise ControlError(nothing, kind=UNAVAILABLE) from error
        except PermissionError as error:
            raise ControlError(f"{path} belongs to another user", kind=PERMISSION_DENIED) from error
        except (TimeoutError, BlockingIOError) as error:  # the latter: its queue of connections is full
            raise ControlError(f"the program at {path} did not answer in {timeout:g} s", kind="Timeout") from error
        except OSError as error:
            # a path too long for a socket, without a link in it, has no server either
            raise ControlError(f"{nothing} ({error.strerror or error})", kind=UNAVAILABLE) from error
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise ControlError(f"the program at {path} ended before it answered", kind=UNAVAILABLE) from error
    if not answer["ok"]:
        raise ControlError(answer["error"]["message"], kind=answer["error"]["kind"])
    return answer["result"]


def _lock(path: Path) -> int:
    """Take the lock of the state folder; it dies with the program, however that ends."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ControlError(f"the lock {path} can't be opened: {error.strerror}", kind=PERMISSION_DENIED) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise ControlError(
            f"another program{f' (process {holder})' if holder else ''} runs on the state folder {path.parent}: "
            "stop it, or give this one a folder of its own with --state",
            kind=ALREADY_EXISTS,
        ) from error
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def _read_line(client: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n"):
        data = client.recv(MAX_LINE)
        if not data:
            break
        received += data
    return bytes(received)


def _refusal(kind: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"kind": kind, "message": message}}


def _encode(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
