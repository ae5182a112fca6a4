"""Which scripts keep nothing at their top level, and that sharing one run of it among processes shows in nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lupa.luajit21 import LuaRuntime
from sharing_programs import Script

from actors.vm.frontend import FrontEnd, SourceError

RUN = "return function() end"

STATELESS = [
    RUN,
    "return { run = function() end }",
    "return { run = function() end, ['go'] = function() end; n = 1, s = 's', t = true, f = false, z = nil, }",
    "local function run() end return run",
    "local function run() end return { run = run };",
    "local run = function(...) return ... end return { run = run }",
    "return process",
    "return { run = print }",
    # what a local may be
    f"local x {RUN}",
    f"local a, b, c = 1, 's' {RUN}",
    f"local a = 1, 2 {RUN}",
    f"local a, b, c = nil, true, false; local s, n = [[long]], -0x1F {RUN}",
    f"local a = -1 local b = a + 2 * (a - 3) / 4 % 5 ^ 6 {RUN}",
    f"local a = 'x' .. 1 .. 'y' local b = a == 'x' local c = 1 < 2 local d = 2 >= 1 local e = not a ~= b {RUN}",
    f"local time = require('time') local SECOND = time.SECOND * 30 {RUN}",
    f"local a = require 'time' local b = require [[time]] local c = require ( \"time\" ) {RUN}",
    f"local send = process.send local s = string local rep = s.rep local deep = a.b.c.d {RUN}",
    f"local f = function() end local g = f {RUN}",
    f"local x = 1 local x = 2 local x = x {RUN}",
    # types leave nothing
    f"type A = {{ x: number }} local n: A = 1 as number export type B = typeof(f({{}})) {RUN}",
    "local s: string @min(f()) = time!.SECOND :: number return { run = function() end } as A",
    "return function() end type A = number",
    # what functions do with what is theirs
    "local function f(n) if n > 0 then return f(n - 1) end end return f",
    "local x = 1 return function(x) x = 2 return x end",
    "local x = 1 return function() local x x = 2 end",
    "local x = 1 return function() local x = x x = x + 1 return x end",
    "local x = 1 return function() for x = 1, 3 do x = x + 1 end return x end",
    "local x = 1 return function() for _, x in pairs({}) do x = 2 end end",
    "local x = 1 return function() repeat local x = 0 x = x + 1 until x > 0 end",
    "local x = 1 return function() local function x() end x = 2 end",
    "local x = 1 return function() local x return function() return function() x = 2 end end end",
    "local x = 1 return function(a) local b a, b = 1, 2 end",
    "local f = 1 return function() local f function f() end end",
    "local M = process return function() function M.f() end M.x = 1 end",
    "return function() local t = {} function t.f() end function t:g() self = 1 end t.x, t[1] = 1, 2 return t end",
    "return function() local i = 0 ::l:: i = i + 1 if i < 3 then goto l end while i do break end end",
    "return function(...) local n = #... return select('#', ...), n and 1 or 2, {}, f(), setmetatable({}, {}) end",
    "return function() process.x = 1 process['x'] = 2 end",
    "return function() return require('time').now(), require(name) end",
    "return function(require) return require('x') end",
    # the names of the environment as something else
    "local _G = 1 return function() return _G end",
    "return function(_G) _G.x = 1 end",
    "return function(x) return x._G, x:getfenv(), { setfenv = 1 }, '_G' end",
    "#!/usr/bin/lua\nreturn function() end",
]

KEEPING = [
    # globals
    "return function() x = 1 end",
    "return function() x, y = 1, 2 end",
    "return function() local a a, x = 1, 2 end",
    "return function() local a a.b, x = 1, 2 end",
    "return function() function x() end end",
    "return function() return function() do while a do repeat x = 1 until a end end end end",
    "return function() for i = 1, 2 do local x end x = 1 end",
    "return function() repeat local x = 1 until x x = 2 end",
    "return function(a, ...) if a then local x = 1 else x = 2 end end",
    "return function() local f = function(x) x = 1 end x = 2 end",
    "return function() local x = (function() x = 1 end)() end",
    "x = 1 return function() end",
    "function x() end return x",
    "return { run = function() n = (n or 0) + 1 return n end }",
    # the environment
    "return function() _G.x = 1 end",
    "return function() return _G end",
    "return function() rawset(_G, 'x', 1) end",
    "return function() _ENV.x = 1 end",
    "return function() setfenv(1, {}) end",
    "return function() getfenv().x = 1 end",
    "return function() return function() local e = _G end end",
    f"local e = _G {RUN}",
    "return _G",
    "return { run = _G }",
    "return function() function _G.f() end end",
    "return function() local _G = _G _G.x = 1 end",
    "return function(a) if a then local _G = a end _G.x = 1 end",
    # locals of the top level that change
    "local x = 1 return function() x = x + 1 return x end",
    "local x return function() local a a, x = 1, 2 end",
    "local x return function() x, process.y = 1, 2 end",
    "local x return function() return function() return function() x = 1 end end end",
    "local x return function(a) do local x = a end x = a end",
    "local x return function() for x = 1, 2 do end x = 1 end",
    "local x return function() for i = 1, 2 do x = i end end",
    "local x return function() repeat local x = 1 until x x = 2 end",
    "local x return function() local x = (function() x = 1 end)() end",
    "local x, y, z return { run = function() end, go = function() y = 1 end }",
    "local function f() f = nil end return f",
    "local f return function() function f() end end",
    "local x = function() end x = 2 return x",
    "local a, x = 1, 2 a, x = 1, 2 return function() end",
    # values that change, or that the top level makes by doing something
    f"local t = {{}} {RUN}",
    f"local a, t = 1, {{}} {RUN}",
    f"local t = 1 == {{}} {RUN}",
    f"local t = ({{}}) {RUN}",
    f"local x = f() {RUN}",
    f"local x = f 's' {RUN}",
    f"local x = process.pid() {RUN}",
    f"local x = ('s'):rep(2) {RUN}",
    f"local x = (function() return {{}} end)() {RUN}",
    f"local t = setmetatable({{}}, {{}}) {RUN}",
    f"local x = ... {RUN}",
    f"local x = 1 + (...) {RUN}",
    f"local x = process['send'] {RUN}",
    f"local x = a and b {RUN}",
    f"local x = a or {{}} {RUN}",
    f"local x = #'s' {RUN}",
    f"local x = -f() {RUN}",
    f"local x = 1 .. f() {RUN}",
    f"local x = 1, f() {RUN}",
    f"local x = f() as number {RUN}",
    # `require` with anything but a literal, or of one's own
    f"local x = require(name) {RUN}",
    f"local x = require('a' .. 'b') {RUN}",
    f"local x = require('a', 1) {RUN}",
    f"local x = require() {RUN}",
    f"local x = require {{}} {RUN}",
    f"local x = require('a')('b') {RUN}",
    f"local x = require('a'):b() {RUN}",
    f"local x = require('a').b {RUN}",
    f"local x = (require)('a') {RUN}",
    f"local x = process.require('a') {RUN}",
    f"local x = requires('a') {RUN}",
    f"local require = print local x = require('a') {RUN}",
    f"local function require() end local x = require 'a' {RUN}",
    # statements
    f"f() {RUN}",
    f"require('a') {RUN}",
    f"do end {RUN}",
    f"do local x = 1 end {RUN}",
    f"if a then end {RUN}",
    f"for i = 1, 2 do end {RUN}",
    f"for k in f do end {RUN}",
    f"while a do end {RUN}",
    f"repeat until a {RUN}",
    f"::l:: {RUN}",
    f"goto l; ::l:: {RUN}",
    f"process.x = 1 {RUN}",
    "local M = process function M.f() end return M",
    "local M = process function M:f() end return M",
    "local M = {} function M.f() end return M",
    "do return function() end end",
    # what comes out
    "",
    "local x = 1",
    "return",
    "return;",
    "return f()",
    "return ...",
    "return process, 1",
    "return { f() }",
    "return { function() end }",
    "return { run = f() }",
    "return { run = {} }",
    "return { [1] = process }",
    "return { [name] = process }",
    "return { ['a' .. 'b'] = process }",
    "return { run = function() end, ... }",
    "return ({ run = process })",
    "return setmetatable({ run = process }, {})",
    "return { run = process }, {}",
    "return process == {}",
]


@pytest.fixture(scope="module")
def front() -> FrontEnd:
    return FrontEnd()


@pytest.mark.parametrize("source", STATELESS)
def test_a_script_that_keeps_nothing_at_its_top_level_is_stateless(front: FrontEnd, source: str) -> None:
    assert front.stateless(source, "app:main")


@pytest.mark.parametrize("source", KEEPING)
def test_a_script_that_keeps_or_might_keep_something_is_not(front: FrontEnd, source: str) -> None:
    assert not front.stateless(source, "app:main")


def test_the_answer_comes_with_the_translation_and_its_faults() -> None:
    front = FrontEnd(cached=1)
    text = front.translate(RUN, "app:one")
    assert front.stateless(RUN.encode(), "app:two")
    assert front.translate(RUN, "app:one") is text
    assert not front.stateless("x = 1", "app:one")
    assert front.stateless(RUN, "app:one")
    for _ in range(2):
        with pytest.raises(SourceError, match=r"^app:two:1:5: "):
            front.stateless("x = = 1", "app:two")


# Two instances of a script, each in an environment of its own or both of one run of the top level, called in turns as
# the plan says. Tells the outcome of every call; a closure that a call returned can be called later.
DRIVER = rb"""
local function frozen(library)
  return setmetatable({}, { __index = library, __newindex = function() error("frozen", 2) end })
end
local lib = frozen({ n = 3, id = function(x) return x end })
local base = { lib = lib, type = type, tostring = tostring, pairs = pairs, rawset = rawset }
function base.require() return lib end
function base.num(x) return type(x) == "number" and x or 0 end
function base.text(x) return (type(x) == "function" or type(x) == "table") and type(x) or tostring(x) end

local r = { n = 0, s = function(v) return v end, y = function() error("too long", 0) end }

local function instantiate(text)
  local environment = setmetatable({}, { __index = base })
  environment._G = environment
  r.n = 200
  local chunk = loadstring("local __r = ... return function(...) " .. text .. "\nend", "=s")(r)
  local ok, value = pcall(setfenv(chunk, environment))
  if not ok then
    return { failure = value }
  elseif type(value) == "function" then
    return { run = value, go = value }
  elseif type(value) ~= "table" then
    return { failure = "no table" }
  end
  return { run = rawget(value, "run"), go = rawget(value, "go") }
end

return function(text, shared, plan)
  local one = instantiate(text)
  local instances = { one, shared and one or instantiate(text) }
  local kept, log = {}, {}
  for i, which, name in plan:gmatch("(%d+):(%d):(%a+)") do
    which = tonumber(which)
    local instance = instances[which]
    r.n = 200
    local ok, result = false, instance.failure
    if not result then
      local f = instance[name]
      if name == "kept" then
        f = kept[which]
      end
      ok, result = pcall(f, tonumber(i), "p")
      if type(result) == "function" then
        kept[which] = result
      end
    end
    log[#log + 1] = tostring(ok) .. " " .. base.text(result)
  end
  return table.concat(log, "\n")
end
"""

Drive = Callable[[bytes, bool, bytes], bytes]


@pytest.fixture(scope="module")
def drive() -> Drive:
    lua: Any = LuaRuntime(encoding=None)
    function: Drive = lua.execute(DRIVER)
    return function


def plan_of(seed: int) -> bytes:
    rand = random.Random(seed)
    calls = (f"{i}:{rand.randint(1, 2)}:{rand.choice(('run', 'go', 'kept'))}" for i in range(12))
    return " ".join(calls).encode()


@settings(max_examples=600, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_sharing_the_top_level_of_a_stateless_script_shows_in_nothing(front: FrontEnd, drive: Drive, seed: int) -> None:
    source = Script(seed).write()
    if front.stateless(source, "app:main"):
        text, plan = front.translate(source, "app:main"), plan_of(seed)
        assert drive(text, True, plan) == drive(text, False, plan), source


def test_the_random_scripts_are_of_both_kinds_and_sharing_the_others_does_show(front: FrontEnd, drive: Drive) -> None:
    stateless = working = shows = 0
    for seed in range(600):
        source = Script(seed).write()
        text, plan = front.translate(source, "app:main"), plan_of(seed)
        if front.stateless(source, "app:main"):
            stateless += 1
            working += b"true" in drive(text, True, plan)
        else:
            shows += drive(text, True, plan) != drive(text, False, plan)
    assert stateless > 150
    assert working > 100
    assert shows > 20
