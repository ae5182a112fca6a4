"""Sleep, after, timer and ticker in the scheduler (spec lua-api.md §8); the values are tested with the library."""

from __future__ import annotations

import pytest

from tests.processes.harness import START, World


def test_sleep_takes_its_time_and_blocks_only_its_coroutine(world: World) -> None:
    assert world.main(
        """
        local order, before = {}, time.now()
        coroutine.spawn(function() time.sleep("1s") order[#order + 1] = "spawned" end)
        time.sleep("2s")
        order[#order + 1] = "main"
        return {order, time.now():sub(before):seconds()}
        """
    ) == [["spawned", "main"], 2]


@pytest.mark.parametrize("duration", ["0", "-5", "'0s'", "'-1h'"])
def test_a_sleep_of_nothing_returns_at_once(world: World, duration: str) -> None:
    assert world.main(
        f"local before = time.now() local n = select('#', time.sleep({duration})) return "
        f"{{n, time.now():sub(before):seconds()}}"
    ) == [0, 0]


def test_a_bad_duration_is_invalid(world: World) -> None:
    assert world.main("local v, err = time.sleep('soon') return {v == nil, err:kind()}") == [True, "Invalid"]


def test_sleepers_wake_in_the_order_of_their_deadlines_and_then_of_their_calls(world: World) -> None:
    assert world.main(
        """
        local order = {}
        for i, d in ipairs{"3s", "1s", "2s", "1s", "3s"} do coroutine.spawn(function() time.sleep(d) order[#order +
          1] = i end) end
        time.sleep("4s")
        return order
        """
    ) == [2, 4, 3, 1, 5]


def test_after_gives_one_time_and_then_closes(world: World) -> None:
    assert world.main(
        """
        local ch = time.after("1s")
        local v, ok = ch:receive()
        local w, closed = ch:receive()
        return {tostring(v:unix()), ok, w == nil, closed}
        """
    ) == [str(int(START) + 1), True, True, False]


def test_a_timer_races_a_message_in_a_select(world: World, place: str) -> None:
    world.process("child", "time.sleep((select(2, ...))) process.send((...), 't')")
    assert world.main(
        """
        local host, list = ..., {}
        for i, d in ipairs{"1s", "5s"} do
          process.spawn("app:child", host, process.pid(), d)
          local timer = time.after("2s")
          local r = channel.select{process.inbox():case_receive(), timer:case_receive()}
          list[i] = r.channel == timer and "timeout" or "message"
        end
        return list
        """,
        place,
    ) == ["message", "timeout"]


def test_a_timer_can_be_stopped_and_reset(world: World) -> None:
    assert world.main(
        """
        local t = time.timer("1s")
        local stopped, again = t:stop(), t:stop()
        local _, open = t:channel():receive()
        local u, before = time.timer("1s"), time.now()
        local reset = u:reset("3s")
        u:channel():receive()
        return {stopped, again, open, reset, time.now():sub(before):seconds(), u:reset("1s"), u:stop()}
        """
    ) == [True, False, False, True, 3, False, False]


def test_a_ticker_ticks_until_it_is_stopped(world: World) -> None:
    assert world.main(
        """
        local t, before, n = time.ticker("2s"), time.now(), 0
        for i = 1, 5 do t:channel():receive() end
        local took = time.now():sub(before):seconds()
        local ok = t:stop()
        local _, open = t:channel():receive()
        return {took, ok, open}
        """
    ) == [10, True, False]


def test_ticks_that_find_the_buffer_full_are_dropped(world: World) -> None:
    assert (
        world.main(
            """
        local t, n = time.ticker("1s"), 0
        time.sleep("100s")
        t:stop()
        while true do local v, ok = t:channel():receive() if not ok then return n end n = n + 1 end
        """
        )
        == 16
    )


def test_a_process_that_ends_leaves_no_timer_behind(world: World) -> None:
    world.main("time.ticker('1s') time.after('1h') coroutine.spawn(function() time.sleep('1h') end) return 1")
    world.process("canceled", "process.events():receive() return 1")
    assert (
        world.main(
            "local pid = process.spawn_monitored('app:canceled', 'app:here') process.cancel(pid, '1h') "
            "process.events():receive() return 1"
        )
        == 1
    )
    world.run()
    assert [node.deadline for node in world.nodes] == [None]


def test_time_stands_still_within_a_slice(world: World) -> None:
    assert world.main("local a = time.now() for i = 1, 1000 do local x = i end return time.now() == a") is True


def test_timers_of_one_process_do_not_wake_another(world: World) -> None:
    world.process("child", "time.sleep((...)) return time.now():unix()")
    assert world.main(
        """
        for i = 1, 3 do process.spawn_monitored("app:child", "app:here", i .. "s") end
        local list = {}
        for i = 1, 3 do list[i] = process.events():receive().result.value end
        return list
        """
    ) == [START + 1, START + 2, START + 3]
