"""The name registry (spec lua-api.md §4.10, processes.md §10)."""

from __future__ import annotations

import pytest

from tests.processes.harness import HERE, THERE, World


def test_a_name_is_free_bound_or_held(world: World, place: str) -> None:
    world.process(
        "child",
        "local ok, err = process.registry.register('n') return {ok == nil, err:kind(), "
        "(err:message():find('name already registered'))}",
    )
    assert world.main(
        """
        local r = process.registry
        local first, again = r.register("n"), r.register("n")
        return {first, again, r.lookup("n") == process.pid(), process.exec("app:child", (...))}
        """,
        place,
    ) == [True, True, True, [True, "AlreadyExists", 1]]


def test_lookup_of_a_free_name_is_not_found(world: World) -> None:
    assert world.main(
        "local pid, err = process.registry.lookup('n') return {pid == nil, err:kind(), err:message()}"
    ) == [
        True,
        "NotFound",
        "name not registered: n",
    ]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("register('')", "Invalid"),
        ("register(nil)", "Invalid"),
        ("register(5)", "Invalid"),
        ("register('{a:b|0x00001}')", "Invalid"),
        ("register('n', 5)", "Invalid"),
        ("register('n', 'not a pid')", "Invalid"),
        ("register('n', '{app:here|0x00001}')", "NotFound"),
        ("register('n', nil, 'local')", "Invalid"),
        ("register('n', nil, process.registry.EVENTUAL)", "Internal"),
        ("register('n', nil, process.registry.CONSISTENT)", "Internal"),
        ("register('n', nil, process.registry.STRONG)", "Internal"),
        ("lookup(nil)", "Invalid"),
    ],
)
def test_wrong_arguments(world: World, call: str, kind: str) -> None:
    assert world.main(f"local ok, err = process.registry.{call} return {{not ok, err:kind()}}") == [True, kind]


def test_registering_a_dead_process_is_not_found(world: World, place: str) -> None:
    world.process("child", "return 1")
    assert world.main(
        """
        local pid = process.spawn_monitored("app:child", (...))
        process.events():receive()
        local ok, err = process.registry.register("n", pid)
        return {ok == nil, err:kind()}
        """,
        place,
    ) == [True, "NotFound"]


def test_another_process_can_be_registered_and_loses_the_name_when_it_ends(world: World, place: str) -> None:
    world.process("child", "process.send((...), 'got', process.inbox():receive():topic())")
    assert world.main(
        """
        local pid = process.spawn_monitored("app:child", (...), process.pid())
        local ok = process.registry.register("n", pid)
        process.send("n", "by name")
        local topic = process.inbox():receive():payload():data()
        process.events():receive()
        local gone, err = process.registry.lookup("n")
        return {ok, topic, gone == nil, err:kind(), process.registry.register("n")}
        """,
        place,
    ) == [True, "by name", True, "NotFound", True]


def test_all_names_are_free_before_the_exit_is_seen(world: World, place: str) -> None:
    world.process("child", "process.registry.register('a') process.registry.register('b') error('x', 0)")
    assert world.main(
        """
        process.spawn_monitored("app:child", (...))
        process.events():receive()
        return {process.registry.lookup("a") == nil, process.registry.lookup("b") == nil,
          process.registry.register("a")}
        """,
        place,
    ) == [True, True, True]


def test_anyone_may_unregister(world: World, place: str) -> None:
    world.process("child", "process.registry.register('n') process.send((...), 'up') process.inbox():receive()")
    assert world.main(
        """
        process.spawn("app:child", (...), process.pid())
        process.inbox():receive()
        local r = process.registry
        return {r.unregister("n"), r.unregister("n"), r.lookup("n") == nil, r.register("n"), r.unregister("n", r.LOCAL)}
        """,
        place,
    ) == [True, False, True, True, True]


def test_whoever_learns_of_a_name_by_a_message_can_use_it(world: World, place: str) -> None:
    world.process(
        "child",
        "process.registry.register('fresh') process.send((...), 'name', 'fresh') return "
        "process.inbox():receive():topic()",
    )
    assert (
        world.main(
            """
        local pid = process.spawn_monitored("app:child", (...), process.pid())
        local name = process.inbox():receive():payload():data()
        local ok, err = process.send(name, "hello")
        if not ok then return nil, err end
        return process.events():receive().result.value
        """,
            place,
        )
        == "hello"
    )


def test_a_name_can_move_within_one_slice(world: World) -> None:
    world.process("child", "process.inbox():receive()")
    assert world.main(
        """
        local r = process.registry
        local a = process.spawn("app:child", "app:here")
        r.register("n", a)
        r.unregister("n")
        r.register("n")
        local before = r.lookup("n") == process.pid()
        time.sleep("1s")
        return {before, r.lookup("n") == process.pid()}
        """
    ) == [True, True]


def test_python_sees_the_names(world: World, place: str) -> None:
    pid = world.spawn(world.process("child", "process.registry.register('n') process.inbox():receive()"), host=place)
    world.run()
    assert world.board.names.lookup("n") == pid
    assert world.board.resolve("n")[0] == pid
    world.terminate(pid)
    world.run()
    assert world.board.names.lookup("n") is None


def test_names_of_a_lost_vm_are_free(world: World) -> None:
    world.spawn(world.process("child", "process.registry.register('n') process.inbox():receive()"), host=THERE)
    world.run()
    world.lose(world.hosts[THERE].nodes[0])
    world.run()
    assert world.main("return {process.registry.lookup('n') == nil, process.registry.register('n')}", host=HERE) == [
        True,
        True,
    ]


def test_a_vm_that_starts_later_knows_the_names(world: World) -> None:
    world.process("child", "return process.registry.lookup('n')")
    assert (
        world.main("process.registry.register('n') return process.exec('app:child', 'app:there') == process.pid()")
        is True
    )


def test_with_name_claims_the_name_of_the_child(world: World, place: str) -> None:
    world.process("child", "return process.registry.lookup('n') == process.pid()")
    assert (
        world.main(
            "process.with_context({}):with_name('n'):spawn_monitored('app:child', (...)) return "
            "process.events():receive().result.value",
            place,
        )
        is True
    )


def test_a_name_is_any_text_that_is_no_pid(world: World) -> None:
    names = ["a b", "{", "{a}", "a|b", "ä", "@x", "x" * 300]
    assert world.main(
        "local list = {} for i, n in ipairs((...)) do list[i] = process.registry.register(n) and "
        "process.registry.lookup(n) == process.pid() end return list",
        names,
    ) == [True] * len(names)
