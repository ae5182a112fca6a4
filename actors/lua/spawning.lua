-- process.spawn* and exec, and the Spawner builder (spec lua-api.md §4.4, §4.6).

local S = require("state")
local object = require("object")
local errors = require("errors")
local values = require("values")
local scheduler = require("scheduler")
local mailbox = require("mailbox")
local pids = require("pids")
local lifecycle = require("lifecycle")
local remote = require("remote")
local outbox = require("outbox")
local loader = require("loader")
local security = require("security")

local type, select, pairs, setmetatable, rawget, error = type, select, pairs, setmetatable, rawget, error
local co_yield, WAIT = coroutine.yield, S.WAIT
local byte, find = string.byte, string.find
local copy = values.copy
local procs = S.procs

local M = {}

local function invalid(message) return nil, errors.make("Invalid", message) end

-- The host with room for it, or an error: spec processes.md §3.1 steps 1 and 2.
local function check_host(host)
  local known = S.hosts[host]
  if not known then
    if loader.door("known", host) == "1" then return errors.plain("Invalid", host .. " is not a process host") end
    return errors.plain("NotFound", "host not found: " .. host)
  end
  if known.state == "other" then return errors.make("Invalid", host .. " is not a process host") end
  if known.state ~= "running" then
    return errors.plain("Unavailable", "host " .. host .. " is " .. (known.state == "stopping" and "stopping" or "not running"), true)
  end
end

-- The name is taken: its holder gets the startup messages and what else was asked for (OP-8).
local function adopt(spec, pid)
  local p = S.current
  local q = procs[pid]
  local messages = spec.messages or {}
  for i = 1, #messages do
    local m = messages[i]
    if q then
      mailbox.deliver(q, m[1], p.pid, m[2], m[3])
    else
      local where = pids.parse(pid)
      local value = m[2]
      value = outbox.travel(value)
      remote.send_message(where, m[1], p.pid, value, m[3])
    end
  end
  if spec.monitor and not (p.watching and p.watching[pid]) then M.process.monitor(pid) end
  if spec.link then M.process.link(pid) end
  return pid
end

--- Tell whether this VM should take a process that one of its own spawns: unless it has two or more that use up their
--- slices, and another VM of its host, or one that was not started yet, has at least two fewer (design: forwarding).
function M.keep()
  local own = scheduler.cpu_bound()
  if own < 2 or S.workers == 1 then return true end
  local known = 0
  for _, vm in pairs(S.vms) do
    if vm.host == S.host and not vm.lost then
      known = known + 1
      if vm.header[1] <= own - 2 then return false end
    end
  end
  return known >= S.workers
end

local function spawn_local(id, spec)
  local def = S.entries[id]
  if not def then
    local err
    def, err = loader.load(id)
    if not def then return nil, err end
  end
  if def.kind ~= "process.lua" then
    return invalid(id .. " is a " .. def.kind .. ", not a process")
  end
  local child, err, holder = lifecycle.create(def, S.host, spec.args, spec.monitor, spec.link, spec)
  if child then return child end
  if holder then return nil, nil, holder end
  return nil, err
end

-- no other VM of this host may have room
local function alone()
  if S.workers > 1 or S.surplus then return false end
  for index, vm in pairs(S.vms) do
    if vm.host == S.host and index ~= S.vm and not vm.lost then return false end
  end
  return true
end

-- Spawn as `spec` says; args are already copied. Returns PID (or the result with exec), err.
local function spawn(id, host, spec)
  local p = S.current
  if S.toplevel then error("process.spawn at the top level of a script: only definitions belong there", 3) end
  local problem = host ~= S.host and check_host(host)
  if problem then return nil, problem end
  if S.stopping and host == S.host then
    return nil, errors.plain("Unavailable", "host " .. host .. " is stopping", true)
  end
  if spec.name then
    local holder = S.names[spec.name]
    if holder then return adopt(spec, holder) end
  end
  spec.id, spec.host, spec.from = id, host, p.pid
  spec.context = spec.context or p.context
  spec.actor, spec.scope = spec.actor or p.actor, spec.scope or p.scope
  if host == S.host and remote.has_room() and M.keep() then
    local exec = spec.exec
    if exec then
      scheduler.may_block("process.exec")
      local t, lives = S.thread, p.lives
      p.ops = p.ops + 1
      spec.waiter = function(value, err)
        if p.dead or p.lives ~= lives then return end
        p.ops = p.ops - 1
        t.v, t.ok = value, err
        scheduler.make_ready(t)
      end
      local child, err, holder = spawn_local(id, spec)
      if child then
        co_yield(WAIT)
        local value, failure = t.v, t.ok
        t.v = nil
        if failure then return nil, failure end
        return value
      end
      p.ops = p.ops - 1
      if holder then return adopt(spec, holder) end
      return nil, err
    end
    local child, err, holder = spawn_local(id, spec)
    if child then
      local pid = child.pid
      if spec.monitor then lifecycle.note_watch(p, pid) end
      if spec.link then lifecycle.note_link(p, pid) end
      if p.ready then scheduler.switch() end
      return pid
    end
    if holder then return adopt(spec, holder) end
    return nil, err
  end
  if host == S.host and not remote.has_room() and alone() then
    local def, err = loader.load(id)
    if not def then return nil, err end
    return nil, errors.plain("LimitExceeded", "host " .. host .. " runs its " .. S.limit .. " processes (max_processes)")
  end
  spec.security = security.pack(spec.actor, spec.scope)
  spec.actor, spec.scope = nil, nil
  local value, err = remote.spawn(host, spec, host == S.host)
  if remote.is_holder(value) then return adopt(spec, value[1]) end
  return value, err
end

-- copies of call arguments (and room for the method); nil and a message when one cannot be sent
local function arguments(...)
  local n = select("#", ...)
  local args = {n = 0, fn = false}
  for i = 1, n do
    local v, problem = copy((select(i, ...)))
    if problem then return nil, problem .. " in argument " .. i end
    args[i] = v
    if v ~= nil then args.n = i end
  end
  return args
end

local function check(id, host)
  if type(id) ~= "string" then return "the process id must be a string, got " .. object.type(id) end
  if type(host) ~= "string" then return "the host must be a string, got " .. object.type(host) end
  if host == "node:control" or host == "node:python" then return "no process may be spawned on " .. host end
end

local function make(flags)
  local plain, monitor, link = not flags.exec, flags.monitor or false, flags.link or false
  return function(id, host, ...)
    if id == nil or host == nil then return invalid("a spawn needs a process id and a host") end
    local problem = check(id, host)
    if problem then return invalid(problem) end
    if flags.exec and not find(id, "^[^:]+:.+$") then
      return invalid("process.exec needs the full id 'namespace:name', got '" .. id .. "'")
    end
    local args
    args, problem = arguments(...)
    if problem then return invalid("cannot spawn " .. id .. ": " .. problem) end
    if values.dropped then M.process.warn_dropped("the arguments of " .. id, {...}) end
    local p = S.current
    if p.guard then
      local refused = security.refused(flags.exec and "process.exec" or "process.spawn", id, {host = host})
      if refused then return nil, refused end
    end
    local me = p.pid
    local def = S.entries[id]
    if plain and def and def.kind == "process.lua" and host == S.host and not S.stopping and not S.toplevel and
        not p.context and not p.dressed and remote.has_room() and M.keep() then
      local child, err = lifecycle.create(def, host, args, monitor and me, link and me)
      if not child then return nil, err end
      local pid = child.pid
      if monitor then lifecycle.note_watch(p, pid) end
      if link then lifecycle.note_link(p, pid) end
      if p.ready then scheduler.switch() end
      return pid
    end
    return spawn(id, host, {
      args = args, monitor = monitor and me or nil, link = link and me or nil, exec = flags.exec,
    })
  end
end

local FORMS = {
  spawn = {}, spawn_monitored = {monitor = true}, spawn_linked = {link = true},
  spawn_linked_monitored = {monitor = true, link = true}, exec = {exec = true},
}

local api = {}
for name, flags in pairs(FORMS) do api[name] = make(flags) end

-- Spawner: {context, options, name, messages, actor, scope}
local methods = {}
local mt = object.class("spawner", methods)

local function changed(self, index, value)
  local o = {}
  for i = 1, 6 do o[i] = rawget(self, i) end
  o[index] = value
  return setmetatable(o, mt)
end

local function self_check(self, where)
  if not object.is(self, mt) then
    error("bad argument #1 to '" .. where .. "' (spawner expected, got " .. object.type(self) .. ")", 3)
  end
end

-- raise what the running process is not allowed to do; below a method
local function may(action, resource, meta)
  if S.current.guard then
    local refused = security.refused(action, resource, meta)
    if refused then error(refused, 0) end
  end
end

local function merged(old, t, where)
  if type(t) ~= "table" then error("bad argument #1 to '" .. where .. "' (table expected, got " .. object.type(t) .. ")", 3) end
  local o = {}
  if old then
    for k, v in pairs(old) do o[k] = v end
  end
  for k, v in pairs(t) do
    if type(k) ~= "string" then error(where .. ": keys must be strings, got " .. object.type(k), 3) end
    local copied, problem = copy(v)
    if problem then error(where .. ": " .. problem .. " in '" .. k .. "'", 3) end
    o[k] = copied
  end
  return o
end

function methods.with_context(self, t)
  self_check(self, "with_context")
  return changed(self, 1, merged(rawget(self, 1), t, "with_context"))
end

function methods.with_options(self, t)
  self_check(self, "with_options")
  return changed(self, 2, merged(rawget(self, 2), t, "with_options"))
end

function methods.with_name(self, name)
  self_check(self, "with_name")
  if type(name) ~= "string" then error("bad argument #1 to 'with_name' (string expected, got " .. object.type(name) .. ")", 2) end
  if name == "" then error("with_name: the name must not be empty", 2) end
  if pids.parse(name) then error("with_name: a name must not look like a PID: " .. name, 2) end
  return changed(self, 3, name)
end

function methods.with_message(self, topic, ...)
  self_check(self, "with_message")
  if type(topic) ~= "string" then error("bad argument #1 to 'with_message' (string expected, got " .. object.type(topic) .. ")", 2) end
  if byte(topic, 1) == 64 then error("with_message: cannot send to @ topics: '" .. topic .. "'", 2) end
  local value, n, problem = M.process.payload_of(...)
  if problem then error("with_message: " .. problem, 2) end
  local list = {}
  local old = rawget(self, 4)
  if old then
    for i = 1, #old do list[i] = old[i] end
  end
  list[#list + 1] = {topic, value, n}
  return changed(self, 4, list)
end

function methods.with_actor(self, actor)
  self_check(self, "with_actor")
  if object.class_of(actor) ~= "actor" then error("bad argument #1 to 'with_actor' (actor expected, got " .. object.type(actor) .. ")", 2) end
  may("process.security", "actor")
  return changed(self, 5, actor)
end

function methods.with_scope(self, scope)
  self_check(self, "with_scope")
  if object.class_of(scope) ~= "scope" then error("bad argument #1 to 'with_scope' (scope expected, got " .. object.type(scope) .. ")", 2) end
  may("process.security", "scope")
  return changed(self, 6, scope)
end

for name, flags in pairs(FORMS) do
  methods[name] = function(self, id, host, ...)
    self_check(self, name)
    if id == nil or host == nil then error("bad arguments to '" .. name .. "' (a process id and a host expected)", 2) end
    local problem = check(id, host)
    if problem then return invalid(problem) end
    if flags.exec and not find(id, "^[^:]+:.+$") then
      return invalid("exec needs the full id 'namespace:name', got '" .. id .. "'")
    end
    local args
    args, problem = arguments(...)
    if problem then return invalid("cannot spawn " .. id .. ": " .. problem) end
    may(flags.exec and "process.exec" or "process.spawn", id, {host = host})
    local me = S.current.pid
    local context = rawget(self, 1)
    if context and S.current.context then context = merged(S.current.context, context, name) end
    local messages = rawget(self, 4)
    if messages then
      local own = {}
      for i = 1, #messages do
        local m = messages[i]
        own[i] = {m[1], (copy(m[2])), m[3]}
      end
      messages = own
    end
    return spawn(id, host, {
      args = args, monitor = flags.monitor and me or nil, link = flags.link and me or nil, exec = flags.exec,
      name = rawget(self, 3), messages = messages, context = context, options = rawget(self, 2),
      actor = rawget(self, 5), scope = rawget(self, 6),
    })
  end
end

function api.with_context(t) return methods.with_context(setmetatable({}, mt), t) end
function api.with_options(t) return methods.with_options(setmetatable({}, mt), t) end

M.api = api
return M
