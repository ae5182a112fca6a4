"""The module `system`: the program from inside."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from actors import ProcessError
from actors.introspection import module_names
from tests.terminal.conftest import Screen

Make = Callable[..., Screen]


@pytest.fixture
def ask(screen: Make) -> Callable[[str], Any]:
    """Run a script's main on a process host, and return its result."""

    def ask(body: str) -> Any:
        app = screen("return function() end", f"return function() {body} end")
        with app.rt:
            return app.rt.exec("app:other", "app:procs", timeout=30)

    return ask


def test_the_program_and_its_machine(ask: Callable[[str], Any]) -> None:
    assert ask("return {system.process.pid(), system.process.hostname(), system.runtime.cpu_count()}") == [
        os.getpid(),
        socket.gethostname(),
        os.cpu_count(),
    ]


def test_memory_tells_the_bytes_of_the_vm_and_of_the_program(ask: Callable[[str], Any]) -> None:
    stats = ask("return system.memory.stats()")
    assert 100_000 < stats["alloc"] < stats["sys"]


def test_the_node_has_the_name_that_it_was_given(ask: Callable[[str], Any]) -> None:
    assert ask("return system.node.id()") == ""


def test_modules_are_those_that_scripts_can_require(ask: Callable[[str], Any]) -> None:
    names = [module["name"] for module in ask("return system.modules()")]
    assert names == module_names()
    assert {"io", "json", "system", "time"} <= set(names)
    assert not {"json_decode", "time_value"} & set(names)


def test_the_state_of_a_service_has_times_in_nanoseconds(ask: Callable[[str], Any]) -> None:
    state = ask("return (system.supervisor.state('app:procs'))")
    assert (state["id"], state["status"], state["desired"], state["retry_count"]) == (
        "app:procs",
        "running",
        "running",
        0,
    )
    assert 1.6e18 < state["started_at"] <= state["last_update"] < 1e19
    states = ask("return system.supervisor.states()")
    assert [state["id"] for state in states] == ["app:procs", "app:term"]


def test_hosts_and_their_processes_as_they_stood_after_their_last_step(ask: Callable[[str], Any]) -> None:
    hosts, own, me = ask(
        "time.sleep('1ms') "
        "return {system.process.hosts(), system.process.processes('app:procs'), {process.pid(), process.id()}}"
    )
    assert [(host["id"], host["status"]) for host in hosts] == [("app:procs", "running"), ("app:term", "running")]
    assert [[process["pid"], process["id"]] for process in own] == [me]


@pytest.mark.parametrize("call", ["supervisor.state('app:gone')", "process.processes('app:gone')"])
def test_what_does_not_exist_is_not_found(ask: Callable[[str], Any], call: str) -> None:
    assert ask(f"local value, err = system.{call} return {{value == nil, err:kind()}}") == [True, "NotFound"]


@pytest.mark.parametrize("call", ["exit('now')", "supervisor.state()", "process.processes(1)"])
def test_wrong_arguments_raise(ask: Callable[[str], Any], call: str) -> None:
    with pytest.raises(ProcessError, match="bad argument #1 to"):
        ask(f"system.{call}")


@pytest.mark.parametrize(("given", "code"), [("", 0), ("3", 3), ("-1", 1), ("300", 255)])
def test_exit_ends_the_program_from_any_process(screen: Make, given: str, code: int) -> None:
    app = screen("return function() end", f"return function() system.exit({given}) process.events():receive() end")
    with app.rt:
        app.rt.spawn("app:other", "app:procs")
        assert app.rt.wait(30) == code
