-- The run queue of a VM: processes are served in rounds, each for a slice of reductions (design: safepoints).
-- A thread is a top-level coroutine of a process; the record of the main thread is the process record itself.

local S = require("state")

local co_create, co_resume, co_yield = coroutine.create, coroutine.resume, coroutine.yield
local co_running, isyieldable = coroutine.running, coroutine.isyieldable
local unpack, error = unpack, error
local r, depth = S.r, S.depth
local WAIT, PREEMPTED, SWITCH, KILL, DONE = S.WAIT, S.PREEMPTED, S.SWITCH, S.KILL, S.DONE

local M = {}

local queue, queued = {}, 0      -- the next round
local round, at, last = {}, 1, 0 -- the round being served

-- set by the lifecycle: what happens to a process whose main thread ended, failed, or must be looked after
M.on_return = false   -- (process, value, second)
M.on_error = false    -- (process, thread, raised)
M.on_kill = false     -- (process)
M.on_attention = false -- (process): link failures that came while it ran
M.on_deadlock = false -- (process)
M.on_memory = false   -- (process that ran when the memory bound was met): true when it was ended

local function enqueue(p)
  if not p.queued then
    p.queued = true
    queued = queued + 1
    queue[queued] = p
  end
end
M.enqueue = enqueue

--- Let a thread run: behind the ready threads of its process, its process behind the ready processes.
local function make_ready(t)
  local p = t.proc
  if p.ready then
    local more = p.more
    if not more then
      more = {h = 1, t = 0}
      p.more = more
    end
    local n = more.t + 1
    more.t = n
    more[n] = t
  else
    p.ready = t
  end
  if not p.queued then
    p.queued = true
    queued = queued + 1
    queue[queued] = p
  end
end
M.make_ready = make_ready

local function take_ready(p)
  local t = p.ready
  if not t then return nil end
  local more = p.more
  if more and more.h <= more.t then
    local h = more.h
    p.ready = more[h]
    more[h] = nil
    if h == more.t then more.h, more.t = 1, 0 else more.h = h + 1 end
  else
    p.ready = false
  end
  return t
end

-- Coroutines of main threads serve one process after another: making one costs more than a short process.
local pool, pooled = {}, 0
local MAX_POOLED = 4096

local function serve(main, ...)   -- stacks name the function by this local
  return serve(co_yield(DONE, main(...)))
end

--- A coroutine for the main thread of a process; its first resume takes the function and its arguments.
function M.new_main()
  if pooled > 0 then
    local co = pool[pooled]
    pool[pooled] = nil
    pooled = pooled - 1
    return co
  end
  return co_create(serve)
end

-- the memory bound in KB, looked at whenever a slice was used up: who allocates without end uses up its slices
local max_kb = false

--- Set the memory bound of the VM in bytes; 0 for none.
function M.bound_memory(bytes) max_kb = bytes > 0 and bytes / 1024 or false end

--- Tell whether more memory is used than the VM may take.
function M.over_memory() return max_kb and collectgarbage("count") > max_kb or false end

-- how many processes used up their slice in this round; the number of the last round is published for the other VMs of
-- the host, which ask where there is room for work (design: placement)
local preempted, shown_preempted = 0, 0
local header = {}

--- Set the published memory of this VM.
function M.publish(memory) header = memory end

local function show_preempted()
  if preempted ~= shown_preempted then
    shown_preempted = preempted
    header[1] = preempted
  end
  preempted = 0
end

--- How many processes used up their slice in the last round.
function M.cpu_bound() return shown_preempted end

--- Nothing is ready: there is room here.
function M.idle()
  preempted = 0
  show_preempted()
end

-- Serve what follows the first resume of a slice: `ok`, `what` and the rest are what it gave.
local function go_on(p, t, ok, what, value, second)
  while true do
    if what == WAIT then
      t = take_ready(p)
      if not t and not p.inq and not p.subs and p.ops == 0 then
        p.queued = false
        if not p.attention then return M.on_deadlock(p) end
      end
    elseif what == PREEMPTED then
      p.pre = t
      preempted = preempted + 1
      if max_kb and collectgarbage("count") > max_kb then
        p.queued = false
        if M.on_memory(p) then return end
      end
      break
    elseif not ok then
      p.queued = false
      return M.on_error(p, t, what)
    elseif what == SWITCH then
      make_ready(t)
      t = take_ready(p)
    elseif what == KILL then
      p.queued = false
      return M.on_kill(p)
    elseif what == DONE then
      p.queued = false
      -- the environment of a function call lives on, and may have kept the coroutine
      if pooled < MAX_POOLED and not p.is_call then
        pooled = pooled + 1
        pool[pooled] = t.co
      end
      return M.on_return(p, value, second)
    else
      p.threads[t.co] = nil
      t = take_ready(p)
      if not t and not p.inq and not p.subs and p.ops == 0 then
        p.queued = false
        if not p.attention then return M.on_deadlock(p) end
      end
    end
    if not t then break end
    if r.n <= 0 then
      p.pre = t
      break
    end
    S.thread = t
    local args = t.args
    if args then
      t.args = false
      ok, what, value, second = co_resume(t.co, args.fn, unpack(args, 1, args.n))
    else
      ok, what, value, second = co_resume(t.co)
    end
  end
  p.queued = false
  if p.attention then
    M.on_attention(p)
    if p.dead then return end
  end
  if p.pre or p.ready then enqueue(p) end
end

-- The slot of the process that runs, for the watchdog: a function of its own, so that the store is compiled although
-- what surrounds it resumes coroutines, which is not.
local function publish_slot(slot) header[2] = slot end

--- Serve ready processes until none is left or `budget` reductions are used. Returns what is left of the budget.
function M.run(budget)
  local slice = S.slice
  while budget > 0 do
    if at > last then
      if queued == 0 then break end
      round, queue = queue, round
      at, last, queued = 1, queued, 0
      show_preempted()
    end
    local p = round[at]
    round[at] = nil
    at = at + 1
    if not p.dead then
      S.current, S.toplevel, S.careful = p, false, 0
      publish_slot(p.slot)
      r.n = slice
      local t = p.pre
      if t then p.pre = false
      elseif p.more then t = take_ready(p)
      else
        t = p.ready
        p.ready = false
      end
      if t then
        S.thread = t
        local args = t.args
        if args then
          t.args = false
          go_on(p, t, co_resume(t.co, args.fn, unpack(args, 1, args.n)))
        else
          local ok, what, value, second = co_resume(t.co)
          -- by far the most frequent: it waits again, and nothing else of the process is ready
          if what == WAIT and not p.ready and (p.inq or p.ops > 0) and not p.attention then
            p.queued = false
          else
            go_on(p, t, ok, what, value, second)
          end
        end
      else
        p.queued = false
      end
      budget = budget - (slice - r.n) - 16
    end
  end
  S.current, S.thread = false, false
  return budget
end

--- Tell whether a process is ready to run.
function M.busy() return queued > 0 or at <= last end

--- Suspend the calling thread until something makes it ready. The caller has registered it with what wakes it;
--- `may_block` must have been asked before.
function M.block() co_yield(WAIT) end

--- Raise where the calling code may not wait: a script's top level, or below a C call. The frequent callers ask only
--- where `S.careful` or the `nests` of the process say that it may be so.
function M.may_block(what)
  if S.toplevel then
    error((what or "a blocking call") .. " at the top level of a script: only definitions belong there", 3)
  end
  if not isyieldable() or (depth[co_running()] or 1) < 0 then
    error("attempt to yield across C-call boundary", 3)
  end
end

--- Raise at a script's top level, where its process is not known to anybody yet.
function M.definitions_only(what)
  if S.toplevel then error(what .. " at the top level of a script: only definitions belong there", 3) end
end

--- A switch point that has nothing to wait for: other ready coroutines of the process go first.
function M.switch()
  local p = S.current
  if p.ready and not S.toplevel and isyieldable() and (depth[co_running()] or 1) > 0 then co_yield(SWITCH) end
end

--- End the running process at once: it is never resumed again.
function M.kill_current()
  if isyieldable() and not S.toplevel and (depth[co_running()] or 1) > 0 then co_yield(KILL) end
  error("process terminated", 0)
end

-- what a safepoint calls when the slice is used up
function r.y()
  if not S.toplevel and isyieldable() and (depth[co_running()] or 1) > 0 then
    co_yield(PREEMPTED)
  elseif r.n < -S.hard_limit then
    error("ran for too long in a place that cannot be preempted", 2)
  elseif max_kb and r.n % 1024 == 0 and collectgarbage("count") > max_kb then
    error("not enough memory", 0)
  end
end

return M
