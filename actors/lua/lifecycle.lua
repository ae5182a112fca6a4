-- How processes begin and end (spec processes.md §3): spawn, the end of the main function, links and monitors.

local S = require("state")
local scheduler = require("scheduler")
local timers = require("timers")
local pids = require("pids")
local values = require("values")
local errors = require("errors")
local mailbox = require("mailbox")
local outbox = require("outbox")
local loader = require("loader")
local security = require("security")
local feeds = require("feeds")

local type, pairs, rawget = type, pairs, rawget
local parse = pids.parse
local new_main = scheduler.new_main
local r = S.r
local SPAWN_REDUCTIONS = 100
local procs = S.procs

local M = {}

-- records for other VMs; remote.lua names and handles them
M.EVENT, M.DEMONITOR, M.UNLINK = 2, 7, 9

S.spawned, S.failed, S.sent = 0, 0, 0

--- Send an event to a PID, wherever it lives. `event` is given away.
local function tell(to, event)
  local p = procs[to]
  if p then return mailbox.deliver_event(p, event) end
  local where = parse(to)
  if not where or not where.vm then return end
  if where.vm == S.vm then
    p = procs[where.text]
    if p then mailbox.deliver_event(p, event) end
  elseif where.vm == 0 then
    local result = event.result or {}
    local problem = outbox.to_python(9, outbox.EVENT, to, event.kind, event.from, event.at, event.reason, event.deadline,
      result.value, result.error)
    if problem then
      outbox.to_python(9, outbox.EVENT, to, event.kind, event.from, event.at, nil, nil, nil,
        errors.plain("Invalid", "the result cannot cross to Python: " .. problem))
    end
  else
    local result = event.result
    if result then
      event.result = {value = outbox.travel(result.value), error = outbox.travel(result.error)}
    end
    outbox.to_vm(where.vm, {M.EVENT, where.text, event})
  end
end
M.tell = tell

local dying, dying_n = {}, 0
local draining = false

-- A partner failed: fail too, unless links are trapped.
local function scan_link_down(p, event)
  if p.trap_links then return mailbox.deliver_event(p, event) end
  dying_n = dying_n + 1
  dying[dying_n] = {p, nil, errors.plain("Internal", "linked process failed", nil, {partner = event.from})}
end

-- The event is scanned at the end of the slice of a process that runs or has not begun, else at once.
local function link_down(p, event)
  if p == S.current or p.args then
    local list = p.attention
    if not list then
      list = {}
      p.attention = list
    end
    list[#list + 1] = event
    return
  end
  scan_link_down(p, event)
end

--- A LINK_DOWN came for `to`.
function M.link_failed(p, event)
  if p.links then p.links[event.from] = nil end
  link_down(p, event)
  M.drain()
end

-- what one of several watchers gets: details are tables, and nothing is shared
local function own_error(err)
  if err and rawget(err, 4) then return values.copy_error(err) end
  return err
end

local function finish_one(p, value, err)
  if p.dead then return end
  p.dead = true
  local pid = p.pid
  procs[pid] = nil
  pids.release(p.slot)
  S.count = S.count - 1
  local names = p.names
  if names then
    for name in pairs(names) do
      if S.names[name] == pid then S.names[name] = nil end
    end
    loader.door("release", pid)
  end
  if p.held then feeds.let_go(p) end
  if p.timers then timers.drop(p) end
  if p.cancel_timer then timers.cancel(p.cancel_timer) end
  if value ~= nil then
    local copied, problem = values.copy(value)
    if problem then
      err = errors.plain("Invalid", "the result of " .. p.entry.id .. ": " .. problem)
    elseif values.dropped then
      outbox.warn_dropped(p, "the result", value)
    end
    value = copied
  end
  local monitors = p.monitors
  if monitors then
    for watcher in pairs(monitors) do
      local own = value
      if type(own) == "table" then own = values.copy_deep(own) end
      local watching = procs[watcher]
      if watching and watching.watching then watching.watching[pid] = nil end
      tell(watcher, {kind = "pid.exit", from = pid, at = S.wall, result = {value = own, error = own_error(err)}})
    end
  end
  local links = p.links
  if links then
    for partner in pairs(links) do
      local q = procs[partner]
      if q then
        if q.links then q.links[pid] = nil end
        if err then link_down(q, {kind = "pid.link.down", from = pid, at = S.wall, result = {error = own_error(err)}}) end
      elseif err then
        tell(partner, {kind = "pid.link.down", from = pid, at = S.wall, result = {error = err}})
      else
        local where = parse(partner)
        if where and where.vm and where.vm ~= S.vm and where.vm ~= 0 then
          outbox.to_vm(where.vm, {M.UNLINK, pid, where.text})
        end
      end
    end
  end
  local watching = p.watching
  if watching then
    for target in pairs(watching) do
      local q = procs[target]
      if q then
        if q.monitors then q.monitors[pid] = nil end
      else
        local where = parse(target)
        if where and where.vm and where.vm ~= S.vm and where.vm ~= 0 then
          outbox.to_vm(where.vm, {M.DEMONITOR, pid, where.text})
        end
      end
    end
  end
  if p.calls then M.end_calls(p) end
  if p.instance then loader.give_back(p, err == nil or p.is_call.returned) end
  local waiter = p.waiter
  if waiter then waiter(value, err, p) end
  if err then
    p.failure = err
    if not p.is_call then
      S.failed = S.failed + 1
      outbox.to_python(4, outbox.DEATH, pid, p.entry.id, err)
    end
  end
  -- the record may live on in a timer or a request: let go of what is large (a key that is not there must not be
  -- written: even nil would make it)
  p.co, p.inq, p.ready, p.pre = false, false, false, false
  if p.subs then p.subs = nil end
  if p.pend then p.pend = nil end
  if p.evq then p.evq = nil end
  if p.chans then p.chans = nil end
  if p.threads then p.threads, p.more = nil, nil end
end

--- End everything that failed in a row of links; no recursion, however long the row.
function M.drain()
  if draining then return end
  draining = true
  local i = 1
  while i <= dying_n do
    local item = dying[i]
    dying[i] = nil
    finish_one(item[1], item[2], item[3])
    i = i + 1
  end
  dying_n = 0
  draining = false
end

--- End a process soon: when what is being ended has ended (`drain`), the running one at the end of its slice.
function M.doom(p, err)
  if p == S.current then
    p.killed = p.killed or err
    p.attention = p.attention or {}
    r.n = 0
    return
  end
  dying_n = dying_n + 1
  dying[dying_n] = {p, nil, err}
end

--- End a process with a value or an error.
local function finish(p, value, err)
  finish_one(p, value, err)
  if dying_n > 0 then M.drain() end
end
M.finish = finish

-- What main's return values mean (spec lua-api.md §1.7).
function scheduler.on_return(p, value, second)
  if p.killed then return finish(p, nil, p.killed) end
  if p.is_call then p.is_call.returned = true end
  if second ~= nil then
    if type(second) == "string" then
      return finish(p, nil, errors.plain("Internal", second, false))
    end
    if errors.is_error(second) then
      return finish(p, nil, errors.from_raised(values.copy_error(second), ""))
    end
  end
  return finish(p, value)
end

function scheduler.on_error(p, thread, raised)
  if p.killed then return finish(p, nil, p.killed) end
  if raised == "not enough memory" then S.collect = true end
  local frames = errors.capture(0, thread.co)
  local err = errors.from_raised(raised, frames)
  return finish(p, nil, values.copy_error(err))
end

function scheduler.on_kill(p)
  if p.upgraded then
    p.upgraded = nil
    return scheduler.enqueue(p)
  end
  return finish(p, nil, p.killed or errors.plain("Internal", "process terminated"))
end

function scheduler.on_attention(p)
  local list = p.attention
  p.attention = nil
  if p.killed then return finish(p, nil, p.killed) end
  for i = 1, #list do
    if not p.dead then scan_link_down(p, list[i]) end
  end
  M.drain()
end

function scheduler.on_deadlock(p)
  local n = 1
  if p.threads then
    for _ in pairs(p.threads) do n = n + 1 end
  end
  return finish(p, nil, errors.plain("Internal",
    "deadlock: all coroutines blocked with no pending operations (threads=" .. n .. ")"))
end

--- End a process because somebody asked for it, at once; the running one at its next safepoint.
function M.kill(p, err)
  if p == S.current then
    p.killed = err
    p.attention = p.attention or {}
    return scheduler.kill_current()
  end
  finish(p, nil, err)
end

local NO_SPEC = {}

-- A small table whose keys come and go is rebuilt every few keys: measured, a quarter of the cost of a call. One that
-- was large is not, until removed keys have filled it and it shrinks: so it is made large again now and then.
local ROOM, OFTEN = 1024, 65536
local function make_room()
  if S.count * 2 > ROOM then return end
  for i = 1, ROOM do procs[i + 0.5] = false end
  for i = 1, ROOM do procs[i + 0.5] = nil end
end

--- Make a process of a loaded definition. `args` is given away; `monitor` and `link` are PID texts or nil. `spec` may
--- hold: pid_host (where the PID names something else than the host), name (claimed with the PID when it is free),
--- messages, from, context, actor, scope (or both as the text `security`), waiter (gets value, error, process), is_call (the call it runs for). Returns
--- the process, or nil and an error, or nil, nil and the PID that holds the name.
function M.create(def, host, args, monitor, link, spec)
  spec = spec or NO_SPEC
  local name, is_call = spec.name, spec.is_call
  local pid, slot = pids.allocate(spec.pid_host or host)
  if name then
    local holder = loader.door("claim", name, pid)
    if holder ~= pid then
      pids.release(slot)
      return nil, nil, holder
    end
    S.names[name] = pid
  end
  local p = {
    pid = pid, slot = slot, entry = def, co = false, proc = false, args = args, ops = 0,
    ready = false, pre = false, queued = false, inbox = false, inq = false,
  }
  p.proc = p
  local limit = def.limit or S.mailbox_limit
  if limit then p.limit = limit end
  local context = spec.context
  if context then p.context = context end
  if spec.security or spec.actor or spec.scope or S.strict then security.dress(p, spec) end
  local terminal = not is_call and S.terminal
  local method, err
  if terminal then err = terminal.enter(p) end
  if not err then
    method, err = loader.instantiate(def, p, is_call)
    if terminal and not method then terminal.leave() end
  end
  if not method then
    if name then
      S.names[name] = nil
      loader.door("release", pid)
    end
    if p.held then feeds.let_go(p) end
    if p.timers then timers.drop(p) end
    pids.release(slot)
    return nil, err
  end
  args.fn = method
  p.co = new_main()
  if S.spawned % OFTEN == 0 then make_room() end
  procs[pid] = p
  S.count = S.count + 1
  S.spawned = S.spawned + 1
  pids.publish(slot, def.number)
  if monitor then p.monitors = {[monitor] = true} end
  if link then p.links = {[link] = true} end
  if spec ~= NO_SPEC then
    if name then p.names = {[name] = true} end
    if is_call then p.is_call = is_call end
    if spec.waiter then p.waiter = spec.waiter end
    local messages = spec.messages
    if messages then
      for i = 1, #messages do
        local m = messages[i]
        mailbox.deliver(p, m[1], spec.from, m[2], m[3], true)
      end
    end
  end
  if terminal then terminal.begin(p) end
  scheduler.make_ready(p)
  -- a spawn is work: who spawns many gives way to them soon, while what they need is still in the processor's caches
  r.n = r.n - SPAWN_REDUCTIONS
  return p
end

--- Register in the local records that `p` watches / is linked with the process of PID `target`.
function M.note_watch(p, target)
  local watching = p.watching
  if not watching then
    watching = {}
    p.watching = watching
  end
  watching[target] = true
end

function M.note_link(p, partner)
  local links = p.links
  if not links then
    links = {}
    p.links = links
  end
  links[partner] = true
end

--- More memory is used than the VM may take: collect, and if that does not help end the process that ran. Returns
--- whether it was ended.
function M.relieve_memory(p)
  collectgarbage()
  if not scheduler.over_memory() then return false end
  S.current = p
  finish(p, nil, S.out_of_memory())
  S.current = false
  collectgarbage()
  collectgarbage()
  return true
end
scheduler.on_memory = M.relieve_memory

--- A whole VM is gone: its processes ended for everybody who watched them.
function M.vm_lost(vm, message)
  pids.lose(vm)
  local function on_lost(pid)
    local where = parse(pid)
    return where and where.vm == vm
  end
  local err = errors.plain("Internal", message)
  for _, p in pairs(procs) do
    if p.watching then
      for target in pairs(p.watching) do
        if on_lost(target) then
          p.watching[target] = nil
          mailbox.deliver_event(p, {kind = "pid.exit", from = target, at = S.wall, result = {error = err}})
        end
      end
    end
    if p.links then
      for partner in pairs(p.links) do
        if on_lost(partner) then
          p.links[partner] = nil
          link_down(p, {kind = "pid.link.down", from = partner, at = S.wall, result = {error = err}})
        end
      end
    end
    if p.monitors then
      for watcher in pairs(p.monitors) do
        if on_lost(watcher) then p.monitors[watcher] = nil end
      end
    end
  end
  M.drain()
  for ref, waiting in pairs(S.refs) do
    if waiting.vm == vm then
      S.refs[ref] = nil
      waiting.fail(err)
    end
  end
end

return M
