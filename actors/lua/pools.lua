-- How many calls of a function run at once (spec registry.md §10.1). A bound that is written in the entry holds for the
-- whole runtime: Python counts, and a call that must wait is told with its ticket. The automatic bound is counted here.

local S = require("state")
local loader = require("loader")

local format = string.format

local M = {}

--- Set by functions.lua: runs a call that has its place.
M.start = false

local tickets, last_ticket = {}, 0   -- ticket -> call that waits for Python's word
local locals = {}                    -- function id -> {running, h, t, calls that wait at [h..t]}

local function local_pool(id)
  local pool = locals[id]
  if not pool then
    pool = {running = 0, h = 1, t = 0, live = 0, serving = false}
    locals[id] = pool
  end
  return pool
end

-- the caller of an asynchronous call may go on: its call has a place in the buffer, or runs
local function admit(call)
  call.full = nil
  local on_admit = call.on_admit
  if on_admit then
    call.on_admit = nil
    on_admit(call)
  end
end

local function enter_shared(call, settings)
  local ticket = last_ticket + 1
  last_ticket = ticket
  local answer = loader.door("permit.take", call.id, format("%d", S.vm), format("%d", ticket), format("%d", settings.bound),
    format("%d", settings.buffer))
  call.place = settings
  if answer == "go" then return true end
  call.ticket = ticket
  call.full = answer == "full"
  tickets[ticket] = call
  return false
end

--- Ask for a place in the function's pool. True: the call runs now. False: it waits; `call.full` tells whether it waits
--- outside of the buffer.
function M.enter(call, settings)
  if settings.shared then return enter_shared(call, settings) end
  local pool = local_pool(call.id)
  call.place = settings
  if pool.running < settings.bound then
    pool.running = pool.running + 1
    return true
  end
  local t = pool.t + 1
  pool.t = t
  pool[t] = call
  pool.live = pool.live + 1
  call.queued = pool
  call.full = pool.live > settings.buffer
  return false
end

-- the first waiting call that is outside of a buffer of `size`, now that one before it is gone
local function admit_next(pool, size)
  if size <= 0 or pool.live < size then return end
  local seen = 0
  for i = pool.h, pool.t do
    local call = pool[i]
    if call then
      seen = seen + 1
      if call.full and seen <= size then return admit(call) end
      if seen > size then return end
    end
  end
end

local function begin(call)
  if call.full then admit(call) end
  return M.start(call)
end

local function next_local(pool, settings)
  if pool.serving then return end       -- a call that fails at once releases its place from in here
  pool.serving = true
  while pool.running < settings.bound and pool.h <= pool.t do
    local h = pool.h
    local call = pool[h]
    pool[h] = nil
    if h == pool.t then pool.h, pool.t = 1, 0 else pool.h = h + 1 end
    if call then
      call.queued = nil
      pool.live = pool.live - 1
      pool.running = pool.running + 1
      admit_next(pool, settings.buffer)
      begin(call)
    end
  end
  pool.serving = false
end

--- The call runs no more: its place goes to the one that waits longest.
function M.release(call)
  local settings = call.place
  call.place = nil
  if settings.shared then
    loader.door("permit.release", call.id, format("%d", S.vm))
    return
  end
  local pool = local_pool(call.id)
  pool.running = pool.running - 1
  if pool.live > 0 then next_local(pool, settings) end
end

--- A call that waits for its place is canceled.
function M.leave(call)
  local settings = call.place
  call.place = nil
  if call.ticket then
    tickets[call.ticket] = nil
    loader.door("permit.leave", call.id, format("%d", S.vm), format("%d", call.ticket))
    call.ticket = nil
  elseif call.queued then
    local pool = call.queued
    call.queued = nil
    pool.live = pool.live - 1
    for i = pool.h, pool.t do
      if pool[i] == call then pool[i] = false end
    end
    if not call.full then admit_next(pool, settings.buffer) end
  end
end

--- Python's word for a ticket: `go` it runs, otherwise it has entered the buffer.
function M.told(ticket, go)
  local call = tickets[ticket]
  if not call then return end
  if not go then return admit(call) end
  tickets[ticket] = nil
  call.ticket = nil
  return begin(call)
end

return M
