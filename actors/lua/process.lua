-- The global `process` (spec lua-api.md §4): identity, messages, control, inbox and topics.

local S = require("state")
local object = require("object")
local errors = require("errors")
local values = require("values")
local scheduler = require("scheduler")
local channel = require("channel")
local mailbox = require("mailbox")
local pids = require("pids")
local lifecycle = require("lifecycle")
local remote = require("remote")
local outbox = require("outbox")
local spawning = require("spawning")
local loader = require("loader")
local security = require("security")
local feeds = require("feeds")
local duration = require("modules.time_duration")

local type, select, pairs, tostring = type, select, pairs, tostring
local byte = string.byte
local procs = S.procs
local parse, alive = pids.parse, pids.alive
local copy_table, copy = values.copy_table, values.copy
local deliver, switch = mailbox.deliver, scheduler.switch

local M = {}
local api = {}
local r = S.r
local SEND_REDUCTIONS = 10   -- a send costs as much as some turns of a loop

local function invalid(message) return nil, errors.make("Invalid", message) end
local not_found = remote.not_found

-- Find what a destination names. Returns a process of this VM, or nil and a parsed PID of another, or nil, nil, error.
local function resolve(dest)
  if type(dest) ~= "string" then
    return nil, nil, errors.make("Invalid", "the destination must be a PID or a name, got " .. object.type(dest))
  end
  local p = procs[dest]
  if p then return p end
  local where = parse(dest)
  if not where then
    local pid = S.names[dest]
    if not pid then return nil, nil, errors.plain("NotFound", "could not resolve '" .. dest .. "'") end
    p = procs[pid]
    if p then return p end
    where = parse(pid)
  end
  if where.vm == S.vm then
    p = procs[where.text]
    if p then return p end
  elseif where.vm and alive(where) then
    return nil, where
  end
  return nil, nil, not_found(dest)
end
M.resolve = resolve

local function warn_dropped(what, root) outbox.warn_dropped(S.current, what, root) end
M.warn_dropped = warn_dropped

--- The PID text of the running process.
function api.pid() return S.current.pid end

--- The id of the running entry.
function api.id() return S.current.entry.id end

-- the payload of a message from the arguments of a call: value, count when it is not one; nil, nil, problem
local function payload_of(value, ...)
  local more = select("#", ...)
  if more > 0 then
    local list, n = {}, 0
    for i = 1, more + 1 do
      local v = i == 1 and value or nil
      if i > 1 then v = (select(i - 1, ...)) end
      local copied, problem = copy(v)
      if problem then return nil, nil, problem .. " in payload " .. i end
      list[i] = copied
      if copied ~= nil then n = i end
    end
    if n <= 1 then return list[1], nil end
    return list, n
  end
  local copied, problem = copy(value)
  return copied, nil, problem
end
M.payload_of = payload_of

local function send_remote(where, topic, value, n)
  local from = S.current.pid
  if where.vm == 0 then
    local problem = outbox.mail(where.text, topic, from, value, n)
    if problem then return invalid("cannot send '" .. topic .. "' to the Python program: " .. problem) end
  else
    if type(value) == "table" then value = values.shared and outbox.graph(value) or outbox.travel(value, true) end
    remote.send_message(where, topic, from, value, n)
  end
  return true
end

local function send_slow(dest, topic, value, ...)
  if dest == nil or topic == nil then return invalid("process.send needs a destination and a topic") end
  if type(topic) ~= "string" then return invalid("the topic must be a string, got " .. object.type(topic)) end
  if byte(topic, 1) == 64 then return invalid("cannot send to @ topics: '" .. topic .. "'") end
  local q, where, err = resolve(dest)
  if err then return nil, err end
  values.shared = false
  local payload, n, problem = payload_of(value, ...)
  if problem then return invalid("cannot send '" .. topic .. "': " .. problem) end
  if values.dropped then
    warn_dropped("message '" .. topic .. "'", select("#", ...) == 0 and value or {value, ...})
  end
  S.sent = S.sent + 1
  if q then
    err = deliver(q, topic, S.current.pid, payload, n)
    if err then return nil, err end
    return true
  end
  return send_remote(where, topic, payload, n)
end

--- Queue a message at a process. Never waits; true means that it is queued.
function api.send(dest, topic, value, ...)
  local p = S.current
  local refused = p.guard and security.refused_to("process.send", dest)
  if refused then return nil, refused end
  local q = procs[dest]
  if q and type(topic) == "string" and byte(topic, 1) ~= 64 and select("#", ...) == 0 then
    local tv = type(value)
    if tv == "table" then
      local copied, bad = copy_table(value)
      if bad then return send_slow(dest, topic, value) end
      if values.dropped then warn_dropped("message '" .. topic .. "'", value) end
      value = copied
    elseif tv ~= "string" and tv ~= "number" and tv ~= "boolean" and tv ~= "nil" then
      return send_slow(dest, topic, value)
    end
    S.sent = S.sent + 1
    r.n = r.n - SEND_REDUCTIONS
    local err = deliver(q, topic, p.pid, value)
    if err then return nil, err end
    if p.ready then switch() end
    return true
  end
  r.n = r.n - 5 * SEND_REDUCTIONS
  local ok, err = send_slow(dest, topic, value, ...)
  if p.ready then switch() end
  return ok, err
end

function api.inbox()
  local p = S.current
  local ch = p.inbox or mailbox.inbox(p)
  if p.ready then switch() end
  return ch
end

function api.events()
  local ch = mailbox.events(S.current)
  switch()
  return ch
end

local function check_topic(topic)
  if type(topic) ~= "string" then return "the topic must be a string, got " .. object.type(topic) end
  if topic == "" then return "the topic must not be empty" end
  if byte(topic, 1) == 64 then return "cannot listen to @ topics: '" .. topic .. "'" end
end

function api.listen(topic, options)
  local problem = check_topic(topic)
  if problem then return invalid(problem) end
  local p = S.current
  local as_message = type(options) == "table" and options.message == true
  local q = p.subs and p.subs[topic]
  if not q then
    q = channel.new_queue(1)
    q.raw = true
    q.channel = channel.bind(p, q)
    mailbox.subscribe(p, topic, q)
  elseif not q.channel then
    return nil, errors.make("AlreadyExists", "topic '" .. topic .. "' is bound to a channel by subscribe")
  end
  if as_message then q.raw = false end
  switch()
  return q.channel
end

local function unsubscribe(ch)
  local p = S.current
  if not object.is(ch, channel.mt) then return false, errors.make("Invalid", "channel expected, got " .. object.type(ch)) end
  local q = channel.queue_of(ch, "unlisten")
  if not q.topic then return false, errors.make("NotFound", "the channel is not subscribed to a topic") end
  mailbox.unsubscribe(p, q)
  switch()
  return true
end
api.unlisten = unsubscribe

M.globals = {
  subscribe = function(topic, ch)
    local problem = check_topic(topic)
    if problem then return invalid(problem) end
    if not object.is(ch, channel.mt) then return invalid("channel expected, got " .. object.type(ch)) end
    local p = S.current
    local q = channel.queue_of(ch, "subscribe")
    local bound = p.subs and p.subs[topic]
    if bound and bound ~= q then
      return nil, errors.make("AlreadyExists", "topic '" .. topic .. "' is bound to another channel")
    end
    if q.topic and q.topic ~= topic then
      return nil, errors.make("AlreadyExists", "the channel is bound to topic '" .. q.topic .. "'")
    end
    q.raw = true
    if not bound then mailbox.subscribe(p, topic, q) end
    switch()
    return ch
  end,
  unsubscribe = unsubscribe,
}

--- Request that a process ends (spec processes.md §7.1, §7.3, OP-7).
function api.cancel(dest, how)
  local reason, deadline
  if type(how) == "table" and not object.class_of(how) then reason, deadline = how.reason, how.deadline
  elseif type(how) == "number" then deadline = how
  elseif type(how) == "string" then
    if duration.read(how) then deadline = how else reason = how end
  elseif how ~= nil then
    return invalid("the reason must be a string, got " .. object.type(how))
  end
  if reason ~= nil and type(reason) ~= "string" then return invalid("the reason must be a string, got " .. object.type(reason)) end
  local seconds
  if type(deadline) == "number" then
    seconds = deadline / 1000
  elseif deadline ~= nil then
    local sec, nsec = duration.read(deadline)
    if not sec then return invalid(nsec) end
    seconds = sec + nsec / 1e9
  end
  local q, where, err = resolve(dest)
  if err then return nil, err end
  if q then
    remote.cancel(q, S.current.pid, reason, seconds)
  elseif where.vm == 0 then
    return nil, errors.make("Invalid", "the Python program's mailbox cannot be canceled")
  else
    remote.send_cancel(where, S.current.pid, reason, seconds)
  end
  switch()
  return true
end

function api.terminate(dest)
  local q, where, err = resolve(dest)
  if err then return nil, err end
  if q then
    lifecycle.kill(q, errors.plain("Internal", "process terminated"))
  elseif where.vm == 0 then
    return nil, errors.make("Invalid", "the Python program's mailbox cannot be terminated")
  else
    remote.send_terminate(where)
  end
  switch()
  return true
end

function api.monitor(dest)
  scheduler.definitions_only("process.monitor")
  local p = S.current
  local q, where, err = resolve(dest)
  if err then return nil, err end
  local target = q and q.pid or where.text
  if target == p.pid then return invalid("a process cannot monitor itself") end
  if p.watching and p.watching[target] then
    return nil, errors.make("AlreadyExists", "already monitoring " .. target)
  end
  if q then
    remote.add_monitor(q, p.pid)
  elseif where.vm == 0 then
    return nil, errors.make("Invalid", "the Python program's mailbox cannot be monitored")
  else
    -- noted first: an end of either side may overtake the answer
    lifecycle.note_watch(p, target)
    local ok, problem = remote.ask(where.vm, remote.MONITOR, p.pid, target)
    if not ok then
      if p.watching then p.watching[target] = nil end
      return nil, problem
    end
    return true
  end
  lifecycle.note_watch(p, target)
  switch()
  return true
end

function api.unmonitor(dest)
  local p = S.current
  if type(dest) ~= "string" then return invalid("the destination must be a PID or a name, got " .. object.type(dest)) end
  local q, where = resolve(dest)
  local target = q and q.pid or (where and where.text) or dest
  if p.watching then p.watching[target] = nil end
  if q then
    if q.monitors then q.monitors[p.pid] = nil end
  elseif where and where.vm ~= 0 then
    outbox.to_vm(where.vm, {remote.DEMONITOR, p.pid, where.text})
  end
  switch()
  return true
end

function api.link(dest)
  scheduler.definitions_only("process.link")
  local p = S.current
  local q, where, err = resolve(dest)
  if err then return nil, err end
  local target = q and q.pid or where.text
  if target == p.pid then return invalid("a process cannot link to itself") end
  if p.links and p.links[target] then return true end
  if q then
    lifecycle.note_link(q, p.pid)
  elseif where.vm == 0 then
    return nil, errors.make("Invalid", "the Python program's mailbox cannot be linked")
  else
    lifecycle.note_link(p, target)
    local ok, problem = remote.ask(where.vm, remote.LINK, p.pid, target)
    if not ok then
      if p.links then p.links[target] = nil end
      return nil, problem
    end
    return true
  end
  lifecycle.note_link(p, target)
  switch()
  return true
end

function api.unlink(dest)
  local p = S.current
  if type(dest) ~= "string" then return invalid("the destination must be a PID or a name, got " .. object.type(dest)) end
  local q, where = resolve(dest)
  local target = q and q.pid or (where and where.text) or dest
  if p.links then p.links[target] = nil end
  if q then
    if q.links then q.links[p.pid] = nil end
  elseif where and where.vm ~= 0 then
    outbox.to_vm(where.vm, {remote.UNLINK, p.pid, where.text})
  end
  switch()
  return true
end

function api.get_options()
  local p = S.current
  return {trap_links = p.trap_links or false, upgradable = p.upgradable or false}
end

function api.set_options(options)
  if type(options) ~= "table" then
    return false, errors.make("Invalid", "options must be a table, got " .. object.type(options))
  end
  local p = S.current
  local problem
  for key, value in pairs(options) do
    if key == "trap_links" or key == "upgradable" then
      if type(value) ~= "boolean" then
        problem = problem or ("option " .. key .. " must be a boolean, got " .. object.type(value))
      else
        p[key] = value or nil
      end
    else
      problem = problem or ("option " .. tostring(key) .. " is not supported")
    end
  end
  if problem then return false, errors.make("Invalid", problem) end
  return true
end

--- Replace code and state of the calling process (spec processes.md §9). Does not return.
function api.upgrade(id, ...)
  local p = S.current
  if p.is_call then return invalid("a function call cannot be upgraded") end
  scheduler.may_block("process.upgrade")
  local args = {n = select("#", ...)}
  local function fail(err)
    p.killed = errors.make(err:kind(), "upgrade: " .. err:message(), err:retryable(), err:details())
    return scheduler.kill_current()
  end
  for i = 1, args.n do
    local copied, problem = copy((select(i, ...)))
    if problem then return fail(errors.plain("Invalid", problem .. " in argument " .. i)) end
    args[i] = copied
  end
  local def, err = loader.load(id or p.entry.id)
  if not def then return fail(err) end
  if def.kind ~= "process.lua" then return fail(errors.plain("Invalid", def.id .. " is a " .. def.kind .. ", not a process")) end
  local trapped = p.trap_links and p.attention
  if trapped then
    -- links that broke in this slice, while they were trapped
    p.attention = nil
    for i = 1, #trapped do mailbox.deliver_event(p, trapped[i]) end
  end
  p.lives = (p.lives or 0) + 1    -- answers that the old code waited for are not for the new
  mailbox.unroute(p)
  feeds.reset(p)
  require("timers").drop(p)
  p.chans, p.threads, p.more, p.ready, p.ops, p.random = nil, nil, nil, false, 0, nil
  p.trap_links, p.upgradable = nil, nil
  local method, problem = loader.instantiate(def, p)
  if not method then return fail(problem) end
  p.entry = def
  p.limit = def.limit or S.mailbox_limit or nil
  args.fn = method
  p.co = scheduler.new_main()
  p.args = args
  p.ready = p
  p.upgraded = true
  pids.publish(p.slot, def.number)
  return scheduler.kill_current()
end

api.registry = object.freeze(require("names"), "process.registry")
api.event = object.freeze({
  CANCEL = "pid.cancel", EXIT = "pid.exit", LINK_DOWN = "pid.link.down", OUTDATED = "pid.outdated",
}, "process.event")

security.guard(api, resolve)
for name, fn in pairs(spawning.api) do api[name] = fn end

M.api = api
return M
