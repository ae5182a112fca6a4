"""The control socket: who may open it, what it survives, and how a client sees it."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors import control
from actors.control import ControlError, ControlServer, ask
from actors.errors import ProcessError


def _fail(request: dict[str, Any]) -> Any:
    raise ProcessError("no such process", kind="NotFound")


HANDLERS = {
    "echo": lambda request: request,
    "fail": _fail,
    "bug": lambda request: 1 // 0,
    "unfit": lambda request: object(),
    "big": lambda request: "x" * 3_000_000,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    with ControlServer(tmp_path / "state", HANDLERS) as server:
        yield server


def _connect(server: ControlServer) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(10)
    client.connect(str(server.path))
    return client


def _lines(client: socket.socket) -> list[dict[str, Any]]:
    received = b""
    while data := client.recv(65536):
        received += data
    return [json.loads(line) for line in received.splitlines()]


def test_a_request_gets_one_answer(server: ControlServer) -> None:
    assert ask(server.path.parent, "echo", word="olá") == {"request": "echo", "word": "olá"}


def test_an_answer_of_megabytes_arrives_whole(server: ControlServer) -> None:
    assert len(ask(server.path.parent, "big")) == 3_000_000


def test_only_the_owner_may_open_the_socket_and_its_folder(server: ControlServer) -> None:
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.path.parent.stat().st_mode) == 0o700


def test_a_handlers_process_error_reaches_the_client_with_its_kind(server: ControlServer) -> None:
    with pytest.raises(ControlError, match="no such process") as caught:
        ask(server.path.parent, "fail")
    assert caught.value.kind == "NotFound"


@pytest.mark.parametrize("request_name", ["bug", "unfit"])
def test_a_broken_handler_is_an_internal_error_and_the_server_goes_on(server: ControlServer, request_name: str) -> None:
    with pytest.raises(ControlError) as caught:
        ask(server.path.parent, request_name)
    assert caught.value.kind == "Internal"
    assert ask(server.path.parent, "echo")["request"] == "echo"


def test_an_unknown_request_names_the_known_ones(server: ControlServer) -> None:
    with pytest.raises(ControlError, match="unknown request 'pss'; known: big, bug, echo") as caught:
        ask(server.path.parent, "pss")
    assert caught.value.kind == "NotFound"


@pytest.mark.parametrize("line", [b"\xff\xfe\x00", b"not json", b"[1]", b"{}", b'{"request": 7}', b"[" * 60_000])
def test_garbage_gets_a_refusal_and_the_next_line_is_still_answered(server: ControlServer, line: bytes) -> None:
    with _connect(server) as client:
        client.sendall(line + b"\n" + b'{"request": "echo"}\n')
        client.shutdown(socket.SHUT_WR)
        refused, answered = _lines(client)
    assert not refused["ok"]
    assert refused["error"]["kind"] == "Invalid"
    assert answered["ok"]


def test_a_line_without_end_is_refused_and_the_connection_closed(server: ControlServer) -> None:
    with _connect(server) as client:
        client.sendall(b"x" * (control.MAX_LINE + 1))
        [refused] = _lines(client)
    assert "longer than" in refused["error"]["message"]


def test_a_half_open_client_does_not_keep_others_from_an_answer(server: ControlServer) -> None:
    with _connect(server) as silent, _connect(server) as halfway:
        halfway.sendall(b'{"request": ')
        assert ask(server.path.parent, "echo")["request"] == "echo"
        silent.close()
        assert ask(server.path.parent, "echo")["request"] == "echo"


def test_an_idle_client_is_dropped(tmp_path: Path) -> None:
    now = [0.0]
    with ControlServer(tmp_path, HANDLERS, clock=lambda: now[0]) as server, _connect(server) as client:
        assert ask(tmp_path, "echo")
        now[0] = control.IDLE_SECONDS + 1
        assert ask(tmp_path, "echo")
        assert client.recv(1) == b""


def test_more_clients_than_allowed_are_turned_away(server: ControlServer) -> None:
    clients = []
    for _ in range(control.MAX_CLIENTS):
        client = _connect(server)
        clients.append(client)
        client.sendall(b'{"request": "echo"}\n')
        assert client.recv(1000).endswith(b"\n")
    with _connect(server) as late:
        assert late.recv(1) == b""
    for client in clients:
        client.close()


def test_a_second_program_on_the_same_state_folder_is_refused(server: ControlServer) -> None:
    second = ControlServer(server.path.parent, HANDLERS)
    with pytest.raises(ControlError, match=rf"another program \(process {os.getpid()}\).*--state") as caught:
        second.start()
    assert caught.value.kind == "AlreadyExists"
    assert ask(server.path.parent, "echo")


def test_the_socket_of_a_dead_program_is_replaced(tmp_path: Path) -> None:
    code = (
        "import os, sys; from actors.control import ControlServer; ControlServer(sys.argv[1], {}).start(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=30)
    assert (tmp_path / control.SOCKET_NAME).is_socket()
    with pytest.raises(ControlError, match="nothing runs") as caught:
        ask(tmp_path, "echo")
    assert caught.value.kind == "Unavailable"
    with ControlServer(tmp_path, HANDLERS):
        assert ask(tmp_path, "echo")


def test_stopping_removes_the_socket_and_a_new_server_may_start(tmp_path: Path) -> None:
    server = ControlServer(tmp_path, HANDLERS)
    for _ in range(2):
        server.start()
        assert ask(tmp_path, "echo")
        server.stop()
        server.stop()
        assert not os.path.lexists(server.path)


def test_a_path_too_long_for_a_socket_works_all_the_same(tmp_path: Path) -> None:
    state = tmp_path / ("long" * 20) / ("folder" * 20)
    with ControlServer(state, HANDLERS) as server:
        short = Path(os.readlink(server.path))
        assert ask(state, "echo")
        assert stat.S_IMODE(short.parent.stat().st_mode) == 0o700
    assert not short.parent.exists()
    with pytest.raises(ControlError) as caught:
        ask(state, "echo")
    assert caught.value.kind == "Unavailable"


def test_a_state_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(ControlError, match=r"can.t be used.*--state"):
        ControlServer(tmp_path / "state", {}).start()


def test_the_state_folder_is_given_or_from_the_environment_or_below_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert control.state_folder("here", {}) == tmp_path / "here"
    assert control.state_folder(None, {"TUTELA_STATE": "/var/there"}) == Path("/var/there")
    assert control.state_folder(None, {}) == tmp_path / ".tutela"
