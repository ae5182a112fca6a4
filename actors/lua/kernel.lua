-- The step machine (design §3): one batch of inputs in, work for a budget of reductions, one batch of outputs out.
-- Inputs are arrays that begin with one of the numbers below; actors/vm/wire.py names the same.

local ffi = require("ffi")
local S = require("state")
local object = require("object")
local errors = require("errors")
local values = require("values")
local msgpack = require("msgpack")
local outbox = require("outbox")
local scheduler = require("scheduler")
local timers = require("timers")
local channel = require("channel")
local pids = require("pids")
local loader = require("loader")
local mailbox = require("mailbox")
local lifecycle = require("lifecycle")
local remote = require("remote")
local sandbox = require("sandbox")
local process = require("process")
local spawning = require("spawning")
local random = require("random")
local feeds = require("feeds")
require("formats")
local functions = require("functions")
local pools = require("pools")

local pairs, floor = pairs, math.floor
local co_yield, WAIT = coroutine.yield, S.WAIT
local procs = S.procs

spawning.process = { warn_dropped = process.warn_dropped, payload_of = process.payload_of,
  monitor = process.api.monitor, link = process.api.link }

-- globals of scripts
local G = sandbox.globals
G.process = object.freeze(process.api, "process")
G.subscribe, G.unsubscribe = process.globals.subscribe, process.globals.unsubscribe

local function log(level, message, fields, name, depth)
  local p = S.current
  fields = fields or {}
  if p then
    fields.pid = p.pid
    fields.entry = p.entry.id
    fields.location = sandbox.location((depth or 2) + 1)
  end
  outbox.log(level, name or "", message, fields)
end

function G.print(...) log("info", sandbox.join(" ", ...), nil, "print", 2) end

-- the services of modules
local seeds = random.new(0, 0)
local rt = {}
loader.rt = rt

function S.seed() return floor(random.math_random(seeds) * 4294967296), floor(random.math_random(seeds) * 4294967296) end
function rt.wall() return S.wall end
function rt.wall_parts()
  local sec = floor(S.wall)
  return sec, floor((S.wall - sec) * 1e9)
end
function rt.monotonic() return S.now end
rt.object_mark = values.object_mark
rt.channel = channel.new
rt.offer = channel.offer
rt.close = channel.close
rt.log = log
function rt.seeded() return random.math_random(seeds) end
function rt.invalid(message) return nil, errors.make("Invalid", message) end
function rt.door(name, ...) return loader.door(name, ...) end
function rt.location(level) return sandbox.location(level + 1) end

local function wake(p, t)
  p.ops = p.ops - 1
  t.v, t.ok = nil, true
  scheduler.make_ready(t)
end

function rt.sleep(seconds)
  scheduler.may_block("time.sleep")
  local p, t = S.current, S.thread
  p.ops = p.ops + 1
  timers.after(seconds, function() wake(p, t) end, p)
  co_yield(WAIT)
end

-- a timer counts as a pending operation: a process that waits for one is no deadlock
function rt.call_later(seconds, fn)
  local p = S.current
  p.ops = p.ops + 1
  return timers.after(seconds, function()
    p.ops = p.ops - 1
    fn()
  end, p)
end

function rt.cancel_timer(handle)
  local p = handle.p
  if timers.cancel(handle) then
    p.ops = p.ops - 1
    return true
  end
  return false
end

-- what the header of this VM's memory shows: see actors/vm/memory.py
local header

local inputs = {}

-- [1, ref, id, args, count, options] spawn for Python
inputs[1] = function(m)
  local ref, id, args, options = m[2], m[3], m[4], m[6]
  args.n = m[5]
  local holder = options.name and S.names[options.name]
  if holder then return outbox.to_python(4, outbox.REPLY, ref, true, {holder = holder}) end
  if not remote.has_room() then return outbox.to_python(4, outbox.REPLY, ref, false, "no room") end
  local spec = {
    id = id, host = S.host, args = args, from = options.from, name = options.name, monitor = options.monitor,
    messages = options.messages, context = options.context, security = options.security,
  }
  if options.exec then
    spec.waiter = function(value, err)
      if err then return outbox.to_python(4, outbox.REPLY, ref, false, err) end
      local problem = outbox.to_python(4, outbox.REPLY, ref, true, value)
      if problem then outbox.to_python(4, outbox.REPLY, ref, false, errors.plain("Invalid", "the result of " .. id .. ": " .. problem)) end
    end
  end
  remote.spawn_here(spec, function(pid, err, holder)
    if holder then return outbox.to_python(4, outbox.REPLY, ref, true, {holder = holder}) end
    if not pid then return outbox.to_python(4, outbox.REPLY, ref, false, err) end
    if options.exec then return outbox.to_python(5, outbox.REPLY, ref, nil, nil, pid) end
    outbox.to_python(4, outbox.REPLY, ref, true, pid)
  end)
end

-- [2, pid, topic, from, payloads, count] message from Python
inputs[2] = function(m)
  local p = procs[m[2]]
  if not p then return mailbox.dead_letter(m[2], m[3], m[4], "ended before the message arrived") end
  local n, list = m[6], m[5]
  if n <= 1 then return mailbox.deliver(p, m[3], m[4], list[1], nil, true) end
  mailbox.deliver(p, m[3], m[4], list, n, true)
end

-- [3, blob] records of another VM
inputs[3] = function(m) remote.receive(m[2]) end

-- [4, pid, from, reason, deadline seconds] cancel
inputs[4] = function(m)
  local p = procs[m[2]]
  if p then remote.cancel(p, m[3], m[4], m[5]) end
end

-- [5, pid] terminate
inputs[5] = function(m)
  local p = procs[m[2]]
  if p then lifecycle.finish(p, nil, errors.plain("Internal", "process terminated")) end
end

-- [6, ref, watcher, pid] monitor; [7, watcher, pid] unmonitor
inputs[6] = function(m)
  local p = procs[m[4]]
  if not p then return outbox.to_python(4, outbox.REPLY, m[2], false, remote.not_found(m[4])) end
  remote.add_monitor(p, m[3])
  outbox.to_python(4, outbox.REPLY, m[2], true, true)
end
inputs[7] = function(m)
  local p = procs[m[3]]
  if p and p.monitors then p.monitors[m[2]] = nil end
end

-- [8, name, pid or nil] the name registry changed
inputs[8] = function(m)
  local name, pid = m[2], m[3]
  local old = S.names[name]
  if old and old ~= pid then
    local p = procs[old]
    if p and p.names then p.names[name] = nil end
  end
  S.names[name] = pid
  if not pid then return end
  local p = procs[pid]
  if p then
    p.names = p.names or {}
    p.names[name] = true
  else
    local where = pids.parse(pid)
    if where and where.vm == S.vm then
      S.names[name] = nil
      loader.door("release", pid)
    end
  end
end

-- [9, index, address, host] a VM of the runtime; [12, index, message] one that was lost
inputs[9] = function(m) pids.attach(m[2], m[3], m[4]) end
inputs[12] = function(m) lifecycle.vm_lost(m[2], m[3]) end

-- [10, id, state, workers] a host of the runtime
inputs[10] = function(m)
  S.hosts[m[2]] = m[3] and {state = m[3]} or nil
  if m[2] == S.host then S.workers = m[4] end
end

-- [11, ids] entries changed
inputs[11] = function(m)
  loader.invalidate(m[2])
  local changed = {}
  for i = 1, #m[2] do changed[m[2][i]] = true end
  for _, p in pairs(procs) do
    if p.upgradable then
      local sources = {}
      if changed[p.entry.id] then sources[1] = p.entry.id end
      for i = 1, #p.entry.order do
        local id = p.entry.order[i].id
        if changed[id] then sources[#sources + 1] = id end
      end
      if sources[1] then mailbox.outdated(p, sources) end
    end
  end
end

-- [13, ref, id, args, count] a function call for Python
local function answer_call(call, value, err)
  local ref = call.python_ref
  S.calls[ref] = nil
  if err then return outbox.to_python(4, outbox.REPLY, ref, false, err) end
  local problem = outbox.to_python(4, outbox.REPLY, ref, true, value)
  if problem then
    outbox.to_python(4, outbox.REPLY, ref, false, errors.plain("Invalid", "the result of " .. call.id .. ": " .. problem))
  end
end
inputs[13] = function(m)
  local ref, id, args = m[2], m[3], m[4]
  local problem = functions.problem_of(id)
  if problem then return outbox.to_python(4, outbox.REPLY, ref, false, errors.plain("Invalid", problem)) end
  args.n = m[5]
  local call = {id = id, args = args, caller = false, options = false, done = answer_call, python_ref = ref}
  S.calls[ref] = call
  functions.begin(call)
end
S.calls = {}

-- [14, ref] the caller of a function is gone
inputs[14] = function(m)
  local call = S.calls[m[2]]
  if not call then return end
  S.calls[m[2]] = nil
  functions.cancel(call, "call canceled: its caller stopped waiting")
end

-- [30, ticket, go] word from the pools that Python counts
inputs[30] = function(m) pools.told(m[2], m[3]) end

-- [31, ids] functions whose first call is to find an environment
inputs[31] = function(m)
  for i = 1, #m[2] do loader.warm(m[2][i]) end
end

local function state_of(p)
  if p.pre or p.ready or p.queued then return "ready" end
  if p.ops > 0 then return "blocked" end
  return "idle"
end

-- [15, ref, limit] inspection: what processes do
inputs[15] = function(m)
  local list, n = {}, 0
  for pid, p in pairs(procs) do
    n = n + 1
    if n > m[3] then break end
    list[n] = {pid, p.entry.id, state_of(p), mailbox.waiting(p)}
  end
  outbox.to_python(4, outbox.REPLY, m[2], true, list)
end

-- [16, reason] the host stops: every process is asked to end
inputs[16] = function(m)
  S.stopping = true
  for _, p in pairs(procs) do
    if not p.is_call then remote.cancel(p, nil, m[2]) end
  end
end

-- [17, message] the grace period is over
inputs[17] = function(m)
  local all = {}
  for _, p in pairs(procs) do all[#all + 1] = p end
  for i = 1, #all do
    lifecycle.finish(all[i], nil, errors.plain("Canceled", m[2]))
  end
end

-- [18, limit, surplus] this VM's share of max_processes; a surplus VM takes no new processes
inputs[18] = function(m)
  S.share, S.surplus = m[2] or false, m[3]
  S.limit = S.share and S.share < S.count and S.count or S.share
end

-- [19, ref, ok, value or error] an answer of Python to a request of this VM
inputs[19] = function(m)
  if m[3] then return remote.answered(m[2], m[4]) end
  remote.answered(m[2], nil, m[4])
end

-- [20, targets, system, kind, path, data, blob] an event for subscribers
inputs[20] = function(m) feeds.feed(m[2], m[3], m[4], m[5], m[6], m[7]) end

-- [21, ref, index] the VM that a spawn of this VM went to: its loss is the answer
inputs[21] = function(m)
  local waiting = S.refs[m[2]]
  if waiting then waiting.vm = m[3] end
end

-- [40, stream, why] a stream of the terminal is closed
inputs[40] = function(m) require("terminal").input(m[2], m[3]) end

local M = {}

--- Set up the VM. `settings` is a packed map: vm, host, mark, node, address, workers, seeds, limits.
function M.start(settings, door)
  local s = msgpack.decode(settings)
  S.vm, S.host, S.mark, S.node = s.vm, s.host, s.mark, s.node or ""
  S.workers, S.limit = s.workers, s.limit or false
  S.mailbox_limit = s.mailbox_limit or false
  S.mailbox_overflow = s.mailbox_overflow or "fail"
  S.slice = s.slice or S.slice
  S.hard_limit = s.hard_limit or S.hard_limit
  seeds = random.new(s.seed1, s.seed2)
  loader.door = door
  S.strict = door("security.strict") == "1"
  scheduler.bound_memory(s.max_memory or 0)
  header = ffi.cast("volatile uint32_t *", s.header)
  scheduler.publish(header)
  local names = {}
  for name in pairs(G) do
    if name ~= "_G" then names[#names + 1] = name end
  end
  local system = loader.module("os")
  if system then G.os = system end
  names[#names + 1] = "os"
  loader.set_globals(G, names)
  pids.attach(s.vm, s.address, s.host)
  if s.terminal then require("terminal").open(s.hide_logs, s.args) end
end

local PART = 20000       -- reductions between two looks at the clock
local LONGEST = 0.004    -- seconds of processor time
local clock = os.clock

-- No single process used up its slice, and still the bound is met: the one with the most unread messages is to blame.
local function relieve()
  local worst, most = false, -1
  for _, p in pairs(procs) do
    local n = mailbox.waiting(p)
    if n > most then worst, most = p, n end
  end
  if worst then lifecycle.relieve_memory(worst) end
end

--- One step: take in a packed list of inputs, run, and return what leaves, the next deadline (nil: none), and whether
--- work is left.
function M.step(batch, now, wall, budget)
  S.now, S.wall = now, wall
  if batch then
    local list = msgpack.decode(batch)
    for i = 1, #list do
      local m = list[i]
      inputs[m[1]](m)
    end
  end
  timers.fire()
  local busy
  -- ends when nothing is ready, when the budget is used up, or after some milliseconds: what leaves must not wait
  local began
  repeat
    local part = budget < PART and budget or PART
    budget = budget - part + scheduler.run(part)
    busy = scheduler.busy()
    if scheduler.over_memory() then relieve() end
    if not busy or budget <= 0 or outbox.pending() then break end
    began = began or clock()
  until clock() - began > LONGEST
  if S.collect then
    S.collect = false
    collectgarbage()
    collectgarbage()
  end
  header[0] = S.count
  if not busy then scheduler.idle() end
  -- what was taken from this VM is given back as its processes end
  if S.limit and S.share and S.limit > S.share then S.limit = S.count > S.share and S.count or S.share end
  header[3] = S.limit or 4294967295
  header[4] = pids.used()
  local counters = header + 8
  counters[0], counters[1], counters[2], counters[3] = S.spawned % 4294967296, S.failed % 4294967296, S.sent % 4294967296,
    (S.dead_letters or 0) % 4294967296
  return outbox.flush(), timers.next(), busy
end

--- Bytes of memory in use by Lua.
function M.memory() return collectgarbage("count") * 1024 end

function M.collect()
  collectgarbage()
  collectgarbage()
  return collectgarbage("count") * 1024
end

return M
