-- What VMs of one runtime tell each other: records in blobs that Python routes unopened. A request carries a number
-- and the VM that asks; its thread waits for the answer. `send`, `cancel`, `terminate` ask nothing.

local S = require("state")
local scheduler = require("scheduler")
local timers = require("timers")
local errors = require("errors")
local mailbox = require("mailbox")
local outbox = require("outbox")
local lifecycle = require("lifecycle")
local loader = require("loader")
local msgpack = require("msgpack")
local pids = require("pids")

local co_yield, WAIT = coroutine.yield, S.WAIT
local procs, refs = S.procs, S.refs
local type = type
local to_vm, restore, travel = outbox.to_vm, outbox.restore, outbox.travel
local floor, format, gsub = math.floor, string.format, string.gsub

local M = {}

local MESSAGE, EVENT, SPAWN, SPAWNED, MONITOR, DONE = 1, 2, 3, 4, 5, 6
local DEMONITOR, LINK, UNLINK, CANCEL, TERMINATE, RESULT = 7, 8, 9, 10, 11, 12
M.MONITOR, M.LINK, M.UNLINK, M.DEMONITOR = MONITOR, LINK, UNLINK, DEMONITOR

--- A number for a request whose answer resumes the calling thread with two values.
local function expect(vm)
  local t, p = S.thread, S.current
  local lives = p.lives
  local ref = S.next_ref + 1
  S.next_ref = ref
  p.ops = p.ops + 1
  local function done(value, err)
    if p.dead or p.lives ~= lives then return end
    p.ops = p.ops - 1
    t.v, t.ok = value, err
    scheduler.make_ready(t)
  end
  refs[ref] = {vm = vm, p = p, done = done, fail = function(err) done(nil, err) end}
  return ref
end

local function answer_of(t)
  co_yield(WAIT)
  local value, err = t.v, t.ok
  t.v = nil
  return value, err
end

--- Ask another VM (`op` MONITOR or LINK) and wait for its answer.
function M.ask(vm, op, from, to)
  scheduler.may_block()
  local ref = expect(vm)
  to_vm(vm, {op, ref, S.vm, from, to})
  return answer_of(S.thread)
end

--- Ask Python to have a process spawned on a worker of `host`: the one with the fewest processes, or `by_load` the one
--- with the fewest that use up their slices. Waits; returns PID (or the result with `spec.exec`), err.
function M.spawn(host, spec, by_load)
  scheduler.may_block()
  local ref = expect(false)
  local waiting = refs[ref]
  waiting.link, waiting.monitor, waiting.exec = spec.link, spec.monitor, spec.exec
  for i = 1, spec.args.n do
    spec.args[i] = travel(spec.args[i])
  end
  local messages = spec.messages
  if messages then
    for i = 1, #messages do messages[i][2] = travel(messages[i][2]) end
  end
  spec.context = travel(spec.context)
  M.place(host, S.vm, ref, spec, {}, by_load)
  return answer_of(S.thread)
end

--- Hand a spawn to Python, which finds a worker of the host that was not tried yet.
function M.place(host, origin, ref, spec, tried, by_load)
  local blob = outbox.encode({{SPAWN, ref, origin, spec, tried}})
  msgpack.array(7)
  msgpack.number(outbox.PLACE)
  msgpack.put(host)
  msgpack.number(origin)
  msgpack.number(ref)
  msgpack.bin(blob)
  msgpack.put(tried)
  msgpack.put(by_load or false)
end

--- Ask a service of Python and wait for its answer: value, err.
function M.ask_python(service, args)
  scheduler.may_block(service)
  local ref = expect(false)
  local problem = outbox.to_python(5, outbox.ASK, service, ref, S.current.pid, args)
  if problem then
    refs[ref] = nil
    S.current.ops = S.current.ops - 1
    return nil, errors.make("Invalid", service .. ": " .. problem)
  end
  return answer_of(S.thread)
end

--- Tell whether this VM may take one more process.
function M.has_room() return not S.surplus and (not S.limit or S.count < S.limit) end

--- Cancel with an optional deadline in seconds (spec processes.md §7.1, §7.3).
function M.cancel(p, from, reason, deadline)
  local event = {kind = "pid.cancel", from = from, at = S.wall, reason = reason}
  if deadline and deadline > 0 then
    local at = S.now + deadline
    event.deadline = M.rfc3339(S.wall + deadline)
    if not p.cancel_at or at < p.cancel_at then
      if p.cancel_timer then timers.cancel(p.cancel_timer) end
      p.cancel_at = at
      p.cancel_timer = timers.after(deadline, function(q)
        lifecycle.finish(q, nil, errors.plain("Timeout", "cancel deadline exceeded"))
      end, false, p)
    end
  end
  mailbox.deliver_event(p, event)
end

--- A point in time as text, to the millisecond; nothing for one that no calendar holds.
function M.rfc3339(wall)
  local milliseconds = floor(wall * 1000 + 0.5)
  if not (milliseconds < 253402300800000) then return nil end
  local rest = milliseconds % 1000
  local fraction = rest > 0 and gsub(format(".%03d", rest), "0+$", "") or ""
  return os.date("!%Y-%m-%dT%H:%M:%S", (milliseconds - rest) / 1000) .. fraction .. "Z"
end

function M.add_monitor(p, watcher)
  local monitors = p.monitors
  if not monitors then
    monitors = {}
    p.monitors = monitors
  end
  monitors[watcher] = true
end

local function not_found(pid) return errors.plain("NotFound", "process not found: " .. pid) end
M.not_found = not_found

--- Spawn on this VM for somebody elsewhere. `reply(pid, err)`.
function M.spawn_here(spec, reply)
  if S.stopping then
    return reply(nil, errors.plain("Unavailable", "host " .. S.host .. " is stopping", true))
  end
  local def, err = loader.load(spec.id)
  if not def then return reply(nil, err) end
  if def.kind ~= "process.lua" then
    return reply(nil, errors.plain("Invalid", spec.id .. " is a " .. def.kind .. ", not a process"))
  end
  local p, problem, holder = lifecycle.create(def, spec.host, spec.args, spec.monitor, spec.link, spec)
  if p then return reply(p.pid) end
  return reply(nil, problem, holder)
end

-- the answer that the name of a spawn is taken: {PID of its holder}
local holder_mt = {}
function M.is_holder(v) return type(v) == "table" and getmetatable(v) == holder_mt end

local handlers = {}

handlers[MESSAGE] = function(record)
  local to, topic, from = record[2], record[3], record[4]
  local p = procs[to]
  if p then
    return mailbox.deliver(p, topic, from, restore(record[5]), record[6], true)
  end
  mailbox.dead_letter(to, topic, from, "ended before the message arrived")
end

handlers[EVENT] = function(record)
  local p = procs[record[2]]
  if not p then return end
  local event = record[3]
  local result = event.result
  if result then result.value, result.error = restore(result.value), restore(result.error) end
  if event.kind == "pid.link.down" then return lifecycle.link_failed(p, event) end
  if event.kind == "pid.exit" and p.watching then p.watching[event.from] = nil end
  mailbox.deliver_event(p, event)
end

handlers[SPAWN] = function(record)
  local ref, origin, spec, tried = record[2], record[3], record[4], record[5]
  local original = spec
  if not M.has_room() then
    tried[#tried + 1] = S.vm
    return M.place(S.host, origin, ref, original, tried)
  end
  spec.host = S.host
  spec.context = restore(spec.context)
  for i = 1, spec.args.n do spec.args[i] = restore(spec.args[i]) end
  if spec.messages then
    for i = 1, #spec.messages do spec.messages[i][2] = restore(spec.messages[i][2]) end
  end
  if spec.exec then
    spec.waiter = function(value, err)
      to_vm(origin, {RESULT, ref, travel(value), travel(err)})
    end
  end
  M.spawn_here(spec, function(pid, err, holder)
    to_vm(origin, {SPAWNED, ref, pid, err, holder})
  end)
end

handlers[SPAWNED] = function(record)
  local ref, pid, err, holder = record[2], record[3], record[4], record[5]
  local waiting = refs[ref]
  if not waiting then return end
  if pid and waiting.exec then
    -- its result comes later, or never if its VM is lost
    waiting.vm = pids.parse(pid).vm
    if waiting.on_pid then waiting.on_pid(pid) end
    return
  end
  refs[ref] = nil
  local p = waiting.p
  if p.dead then
    -- the spawner ended while its request was on the way: the link still holds
    if pid and waiting.link and p.failure then
      lifecycle.tell(pid, {kind = "pid.link.down", from = p.pid, at = S.wall, result = {error = p.failure}})
    end
    return
  end
  if pid then
    if waiting.monitor then lifecycle.note_watch(p, pid) end
    if waiting.link then lifecycle.note_link(p, pid) end
  end
  waiting.done(pid or (holder and setmetatable({holder}, holder_mt)) or nil, err)
end

handlers[RESULT] = function(record)
  local waiting = refs[record[2]]
  if not waiting then return end
  refs[record[2]] = nil
  waiting.done(restore(record[3]), restore(record[4]))
end

handlers[DONE] = function(record)
  local waiting = refs[record[2]]
  if not waiting then return end
  refs[record[2]] = nil
  waiting.done(record[3], record[4])
end

handlers[MONITOR] = function(record)
  local ref, origin, watcher, target = record[2], record[3], record[4], record[5]
  local p = procs[target]
  if not p then return to_vm(origin, {DONE, ref, nil, not_found(target)}) end
  M.add_monitor(p, watcher)
  to_vm(origin, {DONE, ref, true})
end

handlers[DEMONITOR] = function(record)
  local p = procs[record[3]]
  if p and p.monitors then p.monitors[record[2]] = nil end
end

handlers[LINK] = function(record)
  local ref, origin, from, to = record[2], record[3], record[4], record[5]
  local p = procs[to]
  if not p then return to_vm(origin, {DONE, ref, nil, not_found(to)}) end
  lifecycle.note_link(p, from)
  to_vm(origin, {DONE, ref, true})
end

handlers[UNLINK] = function(record)
  local p = procs[record[3]]
  if p and p.links then p.links[record[2]] = nil end
end

handlers[CANCEL] = function(record)
  local p = procs[record[2]]
  if p then M.cancel(p, record[3], record[4], record[5]) end
end

handlers[TERMINATE] = function(record)
  local p = procs[record[2]]
  if p then lifecycle.finish(p, nil, errors.plain("Internal", "process terminated")) end
end

--- Take in what another VM sent.
function M.receive(blob)
  local records = outbox.decode_blob(blob)
  for i = 1, #records do
    local record = records[i]
    handlers[record[1]](record)
  end
end

--- An answer of Python to a request of this VM.
function M.answered(ref, value, err)
  local waiting = refs[ref]
  if not waiting then return end
  refs[ref] = nil
  waiting.done(value, err)
end

function M.send_message(where, topic, from, value, n) to_vm(where.vm, {MESSAGE, where.text, topic, from, value, n}) end
function M.send_cancel(where, from, reason, deadline) to_vm(where.vm, {CANCEL, where.text, from, reason, deadline}) end
function M.send_terminate(where) to_vm(where.vm, {TERMINATE, where.text}) end

return M
