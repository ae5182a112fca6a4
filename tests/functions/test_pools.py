"""Pools of Lua functions as code sees them (spec registry.md §10.1, lua-api.md §1.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.conftest import MODULES, FunctionWorld
from tests.processes.harness import HERE, THERE

OCCUPANCY = """
local inside, most = 0, 0
return { run = function(delay)
  inside = inside + 1
  if inside > most then most = inside end
  require("time").sleep(delay)
  inside = inside - 1
  return most
end }
"""

EVERY_POOL = [
    None,
    {"bound": 1, "shared": True, "buffer": 64},
    {"bound": 2, "shared": True, "buffer": 0},
    {"bound": 2, "shared": False, "buffer": 0},
    {"bound": 100, "shared": False, "buffer": 0},
]


def define(world: FunctionWorld, text: str, pool: Any = None, **options: Any) -> None:
    if pool is not None:
        options["pool"] = pool
    world.script("app:f", text, kind="function.lua", method="run", modules=MODULES, **options)


@pytest.mark.parametrize("pool", EVERY_POOL)
def test_two_calls_never_run_at_the_same_time_in_one_state(world: FunctionWorld, pool: Any) -> None:
    define(world, OCCUPANCY, pool)
    result = world.caller(
        """
        local futures = {}
        coroutine.spawn(function() end)
        for i = 1, 20 do
          local done = channel.new(1)
          futures[i] = done
          coroutine.spawn(function() done:send((funcs.call("app:f", i % 3 .. "s"))) end)
        end
        local most = 0
        for i = 1, 20 do most = math.max(most, (futures[i]:receive())) end
        return most
        """
    )
    assert result == 1


@pytest.mark.parametrize("pool", EVERY_POOL)
def test_what_a_module_holds_survives_between_calls(world: FunctionWorld, pool: Any) -> None:
    define(
        world, "local n = 0 hits = 0 return { run = function() n = n + 1 hits = hits + 1 return {n, hits} end }", pool
    )
    assert world.caller('funcs.call("app:f") funcs.call("app:f") return (funcs.call("app:f"))') == [3, 3]


def test_a_state_survives_an_error_that_is_returned_but_not_one_that_is_raised(world: FunctionWorld) -> None:
    define(
        world,
        """
        local n = 0
        return { run = function(how)
          n = n + 1
          if how == "raise" then error("x") end
          if how == "return" then return nil, "x" end
          return n
        end }
        """,
    )
    result = world.caller(
        """
        funcs.call("app:f", "return")
        local kept = funcs.call("app:f")
        funcs.call("app:f", "raise")
        return {kept, (funcs.call("app:f"))}
        """
    )
    assert result == [2, 1]


def test_a_canceled_call_takes_its_state_with_it(world: FunctionWorld) -> None:
    define(world, 'local n = 0 return { run = function(d) n = n + 1 require("time").sleep(d) return n end }')
    result = world.caller(
        """
        funcs.new():with_options({timeout = 100}):call("app:f", "1s")
        return (funcs.call("app:f", 0))
        """
    )
    assert result == 1


def test_a_channel_of_a_module_serves_the_next_call_without_ghosts_of_the_last(world: FunctionWorld) -> None:
    define(
        world,
        """
        local ch = channel.new(1)
        return { run = function(how)
          if how == "wait" then coroutine.spawn(function() ch:receive() end) return "left" end
          ch:send("mine")
          return (ch:receive())
        end }
        """,
    )
    assert world.caller('return {funcs.call("app:f", "wait"), (funcs.call("app:f", "use"))}') == ["left", "mine"]


def test_a_changed_entry_gets_new_states_and_running_calls_keep_theirs(world: FunctionWorld) -> None:
    define(world, 'return { run = function(d) require("time").sleep(d) return "old" end }')
    pid = world.spawn(world.process("caller", 'return (funcs.call("app:f", "10s"))', modules=MODULES))
    box = world.box()
    box.monitor(pid)
    world.run()
    define(world, 'return { run = function() return "new" end }')
    assert world.caller('return (funcs.call("app:f"))') == "new"
    world.settle()
    assert [event.result for event in box.events] == [{"value": "old"}]


@pytest.mark.parametrize("shared", [True, False])
def test_a_bound_of_one_serializes_in_the_order_of_the_calls(world: FunctionWorld, shared: bool) -> None:
    define(
        world,
        'return { run = function(n) require("time").sleep("1s") return n end }',
        {"bound": 1, "shared": shared, "buffer": 64},
    )
    result = world.caller(
        """
        local start, order, all = time.now(), {}, channel.new(10)
        for i = 1, 5 do
          coroutine.spawn(function()
            local v = funcs.call("app:f", i)
            all:send({v, time.now():sub(start):seconds()})
          end)
        end
        for i = 1, 5 do order[i] = all:receive() end
        return order
        """
    )
    assert result == [[n, n] for n in range(1, 6)]


def test_a_written_bound_holds_for_all_vms_together(world: FunctionWorld) -> None:
    box = world.box()
    define(
        world,
        """
        return { run = function(box, who)
          process.send(box, "in", who)
          require("time").sleep("1s")
          process.send(box, "out", who)
        end }
        """,
        {"bound": 1, "shared": True, "buffer": 64},
    )
    caller = world.process("caller", 'funcs.call("app:f", ...)', modules=MODULES)
    for i in range(6):
        world.spawn(caller, box.pid, i, host=(HERE, THERE)[i % 2])
    world.advance(10)
    seen = [(topic, payloads[0]) for topic, _, payloads in box.messages]
    assert seen == [(topic, i) for i in range(6) for topic in ("in", "out")]


def test_an_automatic_bound_holds_in_each_vm(world: FunctionWorld) -> None:
    define(
        world,
        'return { run = function() require("time").sleep("1s") end }',
        {"bound": 1, "shared": False, "buffer": 0},
    )
    caller = world.process("caller", 'funcs.call("app:f")', modules=MODULES)
    pids = [world.spawn(caller, host=host) for host in (HERE, THERE)]
    world.advance(1)
    assert [world.alive(pid) for pid in pids] == [False, False]


@pytest.mark.parametrize("shared", [True, False])
def test_a_full_buffer_makes_the_caller_of_async_wait_until_it_has_room(world: FunctionWorld, shared: bool) -> None:
    define(
        world,
        'return { run = function() require("time").sleep("1s") end }',
        {"bound": 1, "shared": shared, "buffer": 2},
    )
    result = world.caller(
        """
        local start, times = time.now(), {}
        for i = 1, 6 do
          funcs.async("app:f")
          times[i] = time.now():sub(start):seconds()
        end
        return times
        """
    )
    assert result == [0, 0, 0, 1, 2, 3]


@pytest.mark.parametrize("shared", [True, False])
def test_without_a_buffer_async_waits_until_the_call_runs(world: FunctionWorld, shared: bool) -> None:
    define(
        world,
        'return { run = function() require("time").sleep("1s") end }',
        {"bound": 1, "shared": shared, "buffer": 0},
    )
    result = world.caller(
        """
        local start, times = time.now(), {}
        for i = 1, 3 do
          funcs.async("app:f")
          times[i] = time.now():sub(start):seconds()
        end
        return times
        """
    )
    assert result == [0, 1, 2]


@pytest.mark.parametrize("shared", [True, False])
def test_calls_that_are_canceled_while_they_wait_give_their_place_up(world: FunctionWorld, shared: bool) -> None:
    define(
        world,
        'return { run = function(n) require("time").sleep("1s") return n end }',
        {"bound": 1, "shared": shared, "buffer": 9},
    )
    result = world.caller(
        """
        local start = time.now()
        local a, b, c = funcs.async("app:f", 1), funcs.async("app:f", 2), funcs.async("app:f", 3)
        b:cancel()
        local late, err = funcs.new():with_options({timeout = "500ms"}):call("app:f", 4)
        local last = c:channel():receive():data()
        return {last, time.now():sub(start):seconds(), err:kind(), (funcs.call("app:f", 5))}
        """
    )
    assert result == [3, 2, "Timeout", 5]


@pytest.mark.parametrize("shared", [True, False])
def test_a_failing_call_gives_its_place_to_the_next(world: FunctionWorld, shared: bool) -> None:
    define(world, 'error("at the top")', {"bound": 1, "shared": shared, "buffer": 9000})
    result = world.caller(
        """
        local futures, failed = {}, 0
        for i = 1, 3000 do futures[i] = funcs.async("app:f") end
        for i = 1, 3000 do if select(2, futures[i]:error()) then failed = failed + 1 end end
        return failed
        """
    )
    assert result == 3000


@pytest.mark.parametrize("shared", [True, False])
def test_however_many_wait_for_a_function_that_broke_meanwhile_all_are_told(world: FunctionWorld, shared: bool) -> None:
    pool = {"bound": 1, "shared": shared, "buffer": 90000}
    count = 2000 if shared else 20000  # shared, each takes a turn of the world
    define(world, 'return { run = function() require("time").sleep("1s") end }', pool)
    box = world.box()
    caller = world.process(
        "caller",
        """
        local futures, failed = {}, 0
        local count = ...
        for i = 1, count do futures[i] = funcs.async("app:f") end
        time.sleep("2s")
        for i = 1, count do if select(2, futures[i]:error()) then failed = failed + 1 end end
        return failed
        """,
        modules=MODULES,
    )
    box.monitor(world.spawn(caller, count))
    world.run()
    define(world, 'error("at the top")', pool)
    world.advance(5)
    assert [event.result for event in box.events] == [{"value": count - 1}]


@pytest.mark.parametrize("shared", [True, False])
def test_a_call_that_leaves_the_buffer_lets_the_next_caller_go_on(world: FunctionWorld, shared: bool) -> None:
    define(
        world,
        'return { run = function() require("time").sleep("1h") end }',
        {"bound": 1, "shared": shared, "buffer": 1},
    )
    result = world.caller(
        """
        local start = time.now()
        local a, b = funcs.async("app:f"), funcs.async("app:f")
        coroutine.spawn(function() time.sleep("1s") b:cancel() end)
        funcs.async("app:f")
        return time.now():sub(start):seconds()
        """
    )
    assert result == 1


def test_a_thousand_callers_of_a_bounded_function_all_get_their_turn(world: FunctionWorld) -> None:
    define(world, "return { run = function(n) return n end }", {"bound": 3, "shared": True, "buffer": 0})
    result = world.caller(
        """
        local all, sum = channel.new(1000), 0
        for i = 1, 1000 do coroutine.spawn(function() all:send((funcs.call("app:f", i))) end) end
        for i = 1, 1000 do sum = sum + all:receive() end
        return sum
        """
    )
    assert result == 500500


def test_the_permits_of_a_lost_vm_go_to_those_who_wait(world: FunctionWorld) -> None:
    define(
        world,
        'return { run = function() require("time").sleep("1h") end }',
        {"bound": 1, "shared": True, "buffer": 9},
    )
    world.spawn(world.process("caller", 'funcs.call("app:f")', modules=MODULES), host=THERE)
    world.run()
    define(world, "return { run = function() return 1 end }", {"bound": 1, "shared": True, "buffer": 9})
    waiting = world.spawn(world.process("caller", 'funcs.call("app:f")', modules=MODULES))
    world.run()
    assert world.alive(waiting)
    world.lose(world.hosts[THERE].nodes[0])
    world.run()
    assert not world.alive(waiting)


def test_an_idle_state_goes_after_a_while_unless_the_pool_is_static(world: FunctionWorld) -> None:
    text = "local n = 0 return { run = function() n = n + 1 return n end }"
    define(world, text)
    world.script("app:kept", text, kind="function.lua", method="run", keep=True)
    body = """
        local function both() return {(funcs.call("app:f")), (funcs.call("app:kept"))} end
        local first = both()
        time.sleep("20s")
        local second = both()
        time.sleep("100s")
        return {first, second, both()}
    """
    assert world.caller(body) == [[1, 1], [2, 2], [1, 3]]
