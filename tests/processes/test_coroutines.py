"""Coroutines: order, switch points, nesting, preemption (spec lua-api.md §6, §1.5, OP-14, OP-25)."""

from __future__ import annotations

import pytest

from actors.vm.wire import Input
from tests.processes.harness import HERE, THERE, World

SWITCH_POINTS = [
    "process.send(process.pid(), 't')",
    "process.send('nobody', 't')",
    "process.spawn('app:child', 'app:here')",
    "process.cancel(process.pid(), 'x')",
    "process.monitor(other)",
    "process.link(other)",
    "process.unmonitor(other)",
    "process.unlink(other)",
    "process.terminate(other)",
    "process.inbox()",
    "process.events()",
    "process.listen('t')",
    "process.unlisten(listened)",
    "process.registry.register('n')",
    "process.registry.lookup('n')",
    "process.registry.unregister('taken')",
    "process.exec('app:child', 'app:here')",
    "time.sleep('1ms')",
]


@pytest.mark.parametrize("call", SWITCH_POINTS)
def test_a_switch_point_lets_ready_coroutines_go_first(world: World, call: str) -> None:
    world.process("child", "return 1")
    world.process("idle", "process.inbox():receive()")
    assert world.main(
        f"""
        local other = process.spawn("app:idle", "app:here")
        local listened = process.listen("l")
        process.registry.register("taken")
        local order, ch = {{}}, channel.new()
        coroutine.spawn(function() ch:receive() order[#order + 1] = "partner" end)
        ch:send(1)
        {call}
        order[#order + 1] = "caller"
        time.sleep("1s")
        return order
        """
    ) == ["partner", "caller"]


@pytest.mark.parametrize(
    "call", ["math.sqrt(2)", "tostring(5)", "channel.new(1):send(1)", "process.pid()", "process.id()"]
)
def test_other_calls_are_no_switch_points(world: World, call: str) -> None:
    assert world.main(
        f"""
        local order, ch = {{}}, channel.new()
        coroutine.spawn(function() ch:receive() order[#order + 1] = "partner" end)
        ch:send(1)
        local x = {call}
        order[#order + 1] = "caller"
        time.sleep("1s")
        return order
        """
    ) == ["caller", "partner"]


def test_a_spawned_coroutine_runs_up_to_its_first_wait_before_its_spawner(world: World) -> None:
    assert world.main(
        """
        local order = {}
        local co = coroutine.spawn(function()
          order[#order + 1] = "new"
          time.sleep("1s")
          order[#order + 1] = "woken"
        end)
        order[#order + 1] = "spawner"
        time.sleep("2s")
        return {order, type(co)}
        """
    ) == [["new", "spawner", "woken"], "thread"]


def test_ready_coroutines_run_first_in_first_out(world: World) -> None:
    assert world.main(
        """
        local order, ch = {}, channel.new()
        for i = 1, 5 do coroutine.spawn(function() ch:receive() order[#order + 1] = i end) end
        for i = 1, 5 do ch:send(i) end
        coroutine.spawn(function() order[#order + 1] = "new" end)
        order[#order + 1] = "main"
        return order
        """
    ) == [1, 2, 3, 4, 5, "new", "main"]


def test_the_spawned_function_gets_no_arguments_and_its_results_are_dropped(world: World) -> None:
    assert (
        world.main(
            "local n = channel.new(1) local f = function(...) n:send(select('#', ...)) return 1, 'text' end "
            "coroutine.spawn(f) return n:receive()"
        )
        == 0
    )


@pytest.mark.parametrize("argument", ["", "5", "'f'", "{}"])
def test_only_functions_can_be_spawned(world: World, argument: str) -> None:
    result = world.main(
        f"local ok, err = pcall(function() local x = coroutine.spawn({argument}) end) return {{ok, err}}"
    )
    assert result[0] is False
    assert result[1].startswith("app:main:1: bad argument #1 to 'spawn'")


def test_generators_are_as_in_the_standard(world: World) -> None:
    assert world.main(
        """
        local co = coroutine.create(function(a, b)
          local c = coroutine.yield(a + b)
          local d, e = coroutine.yield(c * 2)
          return d .. e
        end)
        local list = {coroutine.status(co)}
        for _, args in ipairs{{1, 2}, {10}, {"x", "y"}, {}} do
          local ok, v = coroutine.resume(co, unpack(args))
          list[#list + 1] = tostring(ok) .. " " .. tostring(v) .. " " .. coroutine.status(co)
        end
        local squares = {}
        for v in coroutine.wrap(function() for i = 1, 4 do coroutine.yield(i * i) end
          end) do squares[#squares + 1] = v end
        return {list, squares}
        """
    ) == [
        [
            "suspended",
            "true 3 suspended",
            "true 20 suspended",
            "true xy dead",
            "false cannot resume dead coroutine dead",
        ],
        [1, 4, 9, 16],
    ]


def test_the_status_of_nested_coroutines(world: World) -> None:
    assert world.main(
        """
        local list, outer = {}, nil
        outer = coroutine.create(function()
          local inner = coroutine.create(function() list[1] = coroutine.status(outer) end)
          coroutine.resume(inner)
          list[2] = coroutine.status(outer)
          list[3] = coroutine.running() == outer
        end)
        coroutine.resume(outer)
        list[4] = coroutine.status(outer)
        return list
        """
    ) == ["normal", "running", True, "dead"]


def test_an_error_in_a_generator_goes_to_its_resumer(world: World) -> None:
    assert world.main(
        """
        local e = errors.new{message = "m", kind = "Conflict"}
        local ok, raised = coroutine.resume(coroutine.create(function() error(e) end))
        local ok2, text = pcall(coroutine.wrap(function() error("t", 0) end))
        return {ok, raised == e, ok2, text}
        """
    ) == [False, True, False, "t"]


BLOCKING = [
    "time.sleep('1s')",
    "ch:receive()",
    "process.inbox():receive()",
    "channel.select{ch:case_receive()}",
    "process.exec('app:child', 'app:here')",
    "process.exec('app:child', 'app:there')",
    "process.spawn('app:child', 'app:there')",
    "coroutine.spawn(function() end)",
]


@pytest.mark.parametrize("call", BLOCKING)
@pytest.mark.parametrize(
    "frame",
    [
        "pcall(function() {} end)",
        "xpcall(function() {} end, tostring)",
        "local t = setmetatable({{}}, {{__index = function() {} return 1 end}}) local x = t.y",
        "local t = setmetatable({{}}, {{__add = function() {} return 1 end}}) local x = t + 1",
        "local t = setmetatable({{}}, {{__call = function() {} return 1 end}}) local x = t()",
        "for _ in function(_, n) if not n then {} return 1 end end do end",
        "coroutine.wrap(function() {} end)()",
        "local g = coroutine.wrap(function() {} coroutine.yield(1) {} end) g() g()",
        "coroutine.resume(coroutine.create(function() coroutine.wrap(function() pcall(function() {} end) end)() end))",
    ],
)
def test_blocking_is_allowed_where_lua_calls_lua(world: World, call: str, frame: str) -> None:
    world.process("child", "time.sleep('1s') return 1")
    assert (
        world.main(
            f"""
        local ch = channel.new()
        coroutine.spawn(function() for i = 1, 3 do time.sleep("1s") process.send(process.pid(), "t") end end)
        coroutine.spawn(function() for i = 1, 3 do time.sleep("1s") ch:send(i) end end)
        {frame.format(call, call).replace("{{", "{").replace("}}", "}")}
        return "through"
        """
        )
        == "through"
    )


@pytest.mark.parametrize("call", BLOCKING)
@pytest.mark.parametrize(
    "frame",
    [
        "table.sort({3, 2, 1}, function(a, b) @ return a < b end)",
        "string.gsub('abc', '%w', function() @ end)",
        "table.sort({3, 2, 1}, function(a, b) coroutine.wrap(function() @ end)() return a < b end)",
    ],
)
def test_blocking_below_a_c_function_raises(world: World, call: str, frame: str) -> None:
    world.process("child", "return 1")
    result = world.main(
        f"""
        local ch = channel.new()
        local ok, err = pcall(function() {frame.replace("@", call)} end)
        return {{ok, tostring(err)}}
        """
    )
    assert result[0] is False
    assert result[1].endswith("attempt to yield across C-call boundary")


def test_what_cannot_wait_has_no_effect_when_it_raises(world: World) -> None:
    world.process("child", "print('ran')")
    world.main(
        "pcall(table.sort, {2, 1}, function() process.exec('app:child', 'app:here') end) "
        "pcall(table.sort, {2, 1}, function() process.spawn('app:child', 'app:there') end)"
    )
    world.run()
    assert world.printed() == []


# preemption

BUSY = "local s = 0 for i = 1, 200000 do s = s + i % 7 end"


@pytest.mark.parametrize(
    "frame",
    [
        "@",
        "coroutine.wrap(function() @ end)()",
        "coroutine.wrap(function() coroutine.wrap(function() pcall(function() @ end) end)() end)()",
        "local g = coroutine.wrap(function() for k = 1, 3 do @ coroutine.yield(k) end end) sum = g() + g() + g()",
        "table.sort({3, 2, 1}, function(a, b) @ return a < b end)",
        "string.gsub('abc', '%w', function() @ end)",
        "setmetatable({}, {__index = function() @ return 1 end}).x = nil",
        "local x = setmetatable({}, {__index = function() @ return 1 end}).x",
    ],
)
def test_a_preemption_is_never_seen_by_the_code(world: World, frame: str) -> None:
    world = World(slice=100)
    world.process("other", "while true do end")
    world.spawn("app:other")
    result = world.main(
        f"""
        local sum, order = 6, {{}}
        local ch = channel.new()
        coroutine.spawn(function() ch:receive() order[#order + 1] = "partner" end)
        ch:send(1)
        {frame.replace("@", BUSY)}
        order[#order + 1] = "main"
        time.sleep("1ms")
        return {{sum, order}}
        """
    )
    assert result == [6, ["main", "partner"]]


def test_other_processes_run_while_one_computes(world: World) -> None:
    world.process("busy", "while true do end")
    for _ in range(3):
        world.spawn("app:busy")
    assert (
        world.main("for i = 1, 10 do process.send(process.pid(), 't', i) process.inbox():receive() end return 'done'")
        == "done"
    )


def test_two_processes_in_the_middle_of_gsub_do_not_disturb_each_other(world: World) -> None:
    world = World({HERE: 1}, slice=50)
    body = """
    local letter, busy = ...
    local out = {}
    for k = 1, 20 do
      local s = string.gsub(("abc"):rep(10), "(%w)(%w)", function(a, b)
        local n = 0 for i = 1, 300 do n = n + i end
        return letter .. a .. b
      end)
      out[k] = s
      for a, b in string.gmatch("k1=v1,k2=v2", "(%w+)=(%w+)") do local n = 0 for i = 1, 100 do n = n + i
        end out[#out + 1] = a .. b end
    end
    return table.concat(out, "|")
    """
    entry = world.process("worker", body)
    boxes = [world.box() for _ in range(3)]
    world.process("shell", "process.send((...), 'r', process.exec('app:worker', 'app:here', (select(2, ...))))")
    for box, letter in zip(boxes, "xyz", strict=True):
        world.spawn("app:shell", box.pid, letter)
    world.settle()
    results = [box.messages[0][2][0] for box in boxes]
    alone = World({HERE: 1})
    alone.process("worker", body)
    assert results == [alone.exec(entry, letter) for letter in "xyz"]


def test_a_loop_where_nothing_can_be_preempted_is_ended_by_the_hard_limit(world: World) -> None:
    world = World(hard_limit=100_000)
    result = world.main(
        """
        local ok, err = pcall(table.sort, {3, 2, 1}, function() while true do pcall(function() while true do end
          end) end end)
        return {ok, tostring(err)}
        """
    )
    assert result[0] is False
    assert "cannot be preempted" in result[1]
    world.script("app:forever", "while true do end")
    assert "cannot be preempted" in world.main(
        "local p, err = process.spawn('app:forever', 'app:here') return err:message()"
    )


def test_coroutines_nested_too_deep_are_refused(world: World) -> None:
    result = world.main(
        """
        local function deeper(n) local ok, v = coroutine.resume(coroutine.create(deeper), n + 1) if ok then
          return v end return n end
        return deeper(0)
        """
    )
    assert 100 < result < 1000


def test_a_main_coroutine_cannot_be_resumed_or_yield(world: World) -> None:
    assert world.main(
        """
        local me = coroutine.running()
        local other = coroutine.spawn(function() time.sleep("1s") end)
        local a, b = coroutine.resume(me)
        local c, d = coroutine.resume(other)
        local e = pcall(coroutine.yield, 1)
        return {a, c, e, coroutine.status(me), coroutine.status(other)}
        """
    ) == [False, False, False, "running", "suspended"]


def test_a_coroutine_of_one_call_cannot_reach_another_process(world: World) -> None:
    world.script(
        "app:keeper",
        """
        local kept
        return {main = function(how)
          if how == "keep" then kept = coroutine.running() return "kept" end
          local ok, v = coroutine.resume(kept)
          return {ok, coroutine.status(kept)}
        end}
        """,
        kind="function.lua",
    )
    world.process("idle", "process.inbox():receive() return 'undisturbed'")
    node = world.hosts[HERE].place()
    assert node is not None

    def call(how: str) -> object:
        return world.ask(node, lambda ref: [Input.CALL, ref, "app:keeper", [how], 1], wait=True)  # type: ignore[arg-type]

    assert call("keep") == "kept"
    pids = [world.spawn("app:idle") for _ in range(3)]
    world.run()
    assert call("resume") == [False, "dead"]
    box = world.box()
    box.monitor(pids[0])
    world.send(pids[0], "go")
    world.run()
    assert box.events[0].result == {"value": "undisturbed"}


def test_many_hosts_are_not_needed_for_a_switch(world: World) -> None:
    assert (
        world.main("local n = 0 for i = 1, 100 do coroutine.spawn(function() n = n + 1 end) end return n", host=THERE)
        == 100
    )
