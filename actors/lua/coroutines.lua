-- The coroutine library that scripts see (spec lua-api.md §6). A preemption or a wait inside a nested coroutine is
-- passed up to the scheduler and never seen by the code that resumed it.

local S = require("state")
local object = require("object")
local scheduler = require("scheduler")

local co_create, co_resume, co_yield = coroutine.create, coroutine.resume, coroutine.yield
local co_status, co_running, isyieldable = coroutine.status, coroutine.running, coroutine.isyieldable
local type, error = type, error
local r, depth = S.r, S.depth
local WAIT, PREEMPTED, SWITCH, KILL = S.WAIT, S.PREEMPTED, S.SWITCH, S.KILL

-- nested coroutines take C stack: about 100 bytes a level
local MAX_DEPTH = 190

local M = {}

local function managed(co)
  local p = S.current
  return p.co == co or (p.threads and p.threads[co] ~= nil) or false
end

-- How deep a coroutine resumed here would nest; negative below a C call that cannot be yielded across.
local function next_depth()
  local co, main = co_running()
  if not co or main then return -2 end
  local d = depth[co] or 1
  if d < 0 then return d - 1 end
  if not isyieldable() then return -d - 1 end
  return d + 1
end

local finish

local function pass_up(co, d, what)
  if d > 0 then
    co_yield(what)
    return finish(co, d, co_resume(co))
  end
  -- only a preemption can come up here: waits are refused below a C call
  if r.n < -S.hard_limit then return false, "ran for too long in a place that cannot be preempted" end
  return finish(co, d, co_resume(co))
end

function finish(co, d, ok, what, ...)
  if what == PREEMPTED or what == WAIT or what == SWITCH or what == KILL then return pass_up(co, d, what) end
  if not ok and what == "not enough memory" then
    S.collect = true
    S.current.killed = S.out_of_memory()
    scheduler.kill_current()
  end
  if not ok and S.current.killed then scheduler.kill_current() end
  return ok, what, ...
end

local function check(co, where)
  if type(co) ~= "thread" then
    error("bad argument #1 to '" .. where .. "' (coroutine expected, got " .. object.type(co) .. ")", 3)
  end
end

local function resume(co, ...)
  if managed(co) then
    return false, "cannot resume " .. (co == co_running() and "running" or "non-suspended") .. " coroutine"
  end
  local d = next_depth()
  if d > MAX_DEPTH or d < -MAX_DEPTH then return false, "coroutines nested too deep (" .. MAX_DEPTH .. " levels)" end
  depth[co] = d
  S.current.nests = true
  return finish(co, d, co_resume(co, ...))
end

local api = {}

function api.create(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'create' (function expected, got " .. object.type(fn) .. ")", 2)
  end
  return co_create(fn)
end

function api.resume(co, ...)
  check(co, "resume")
  return resume(co, ...)
end

local function unwrap(ok, ...)
  if ok then return ... end
  local raised = ...
  error(raised, 0)
end

function api.wrap(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'wrap' (function expected, got " .. object.type(fn) .. ")", 2)
  end
  local co = co_create(fn)
  return function(...) return unwrap(resume(co, ...)) end
end

function api.yield(...)
  local co = co_running()
  if not co or managed(co) then error("attempt to yield outside of a coroutine made with create or wrap", 2) end
  return co_yield(...)
end

function api.status(co)
  check(co, "status")
  if S.thread and S.thread.co == co and co ~= co_running() then return "normal" end
  return co_status(co)
end

function api.running() return co_running() end
api.isyieldable = isyieldable

--- Start a thread of the process: it enters the ready queue before its spawner, which goes on after it (OP-25).
function api.spawn(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'spawn' (function expected, got " .. object.type(fn) .. ")", 2)
  end
  scheduler.may_block("coroutine.spawn")
  local p = S.current
  local co = co_create(function() fn() end)
  local t = {co = co, proc = p, args = false}
  local threads = p.threads
  if not threads then
    threads = {}
    p.threads = threads
  end
  threads[co] = t
  scheduler.make_ready(t)
  co_yield(SWITCH)
  return co
end

M.api = api
return M
