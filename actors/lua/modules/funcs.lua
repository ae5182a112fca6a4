-- The module `funcs` (spec lua-api.md §7): calls of functions, by id, from the calling process.

local S = require("state")
local object = require("object")
local errors = require("errors")
local values = require("values")
local scheduler = require("scheduler")
local functions = require("functions")
local future = require("future")
local security = require("security")

local type, select, pairs, setmetatable, rawget, error = type, select, pairs, setmetatable, rawget, error
local co_yield, WAIT = coroutine.yield, S.WAIT
local copy, begin, problem_of = values.copy, functions.begin, functions.problem_of
local may_block = scheduler.may_block

local function done(call, value, err)
  local p, t = call.caller, call.thread
  p.ops = p.ops - 1
  t.v, t.ok = value, err
  scheduler.make_ready(t)
end

local function admitted(call)
  local p = call.caller
  p.ops = p.ops - 1
  scheduler.make_ready(call.admitting)
end

local function warn_dropped(id)
  local name = values.dropped
  values.dropped = false
  local p = S.current
  require("outbox").log("warn", "funcs", "a " .. name .. " in the arguments of " .. id .. ", called by " .. p.entry.id ..
    ", cannot cross: nil was sent", {pid = p.pid, entry = p.entry.id})
end

-- Copies of arguments (and room for the method); nil and a problem when one cannot be sent.
local function copies(n, ...)
  if n <= 3 then        -- a table that is made with its size takes half the time
    local a, b, c = ...
    local problem
    if a ~= nil then
      a, problem = copy(a)
      if problem then return nil, problem .. " in argument 1" end
    end
    if b ~= nil then
      b, problem = copy(b)
      if problem then return nil, problem .. " in argument 2" end
    end
    if c ~= nil then
      c, problem = copy(c)
      if problem then return nil, problem .. " in argument 3" end
    end
    return {a, b, c, n = c ~= nil and 3 or b ~= nil and 2 or a ~= nil and 1 or 0, fn = false}
  end
  local args = {n = 0, fn = false}
  for i = 1, n do
    local v, problem = copy((select(i, ...)))
    if problem then return nil, problem .. " in argument " .. i end
    args[i] = v
    if v ~= nil then args.n = i end
  end
  return args
end

-- The record of a call, or nil and an error. `where` names the Lua function for argument errors.
local function prepare(where, id, ...)
  if type(id) ~= "string" then
    error("bad argument #1 to '" .. where .. "' (string expected, got " .. (id == nil and "no value" or object.type(id)) .. ")", 3)
  end
  local problem = problem_of(id)
  if problem then return nil, errors.make("Invalid", problem) end
  local args
  args, problem = copies(select("#", ...), ...)
  if problem then return nil, errors.make("Invalid", "cannot call " .. id .. ": " .. problem) end
  if values.dropped then warn_dropped(id) end
  local p = S.current
  if p.guard then
    local refused = security.refused("funcs.call", id)
    if refused then return nil, refused end
  end
  return {
    id = id, args = args, caller = p, done = done, thread = S.thread, context = p.context, actor = p.actor, scope = p.scope,
    options = false, over = false, proc = false, own = false, at = 0,
  }
end

local function wait_for(call)
  local p, t = S.current, S.thread
  p.ops = p.ops + 1
  begin(call)
  co_yield(WAIT)
  local value, err = t.v, t.ok
  t.v = nil
  if err then return nil, err end
  return value, nil
end

-- Begin a call whose caller goes on, unless the function's pool has no room for one more that waits.
local function go(call)
  local made = future.make(call)
  begin(call)
  if call.full then
    local p = S.current
    p.ops = p.ops + 1
    call.on_admit, call.admitting = admitted, S.thread
    co_yield(WAIT)
  else
    scheduler.switch()
  end
  return made, nil
end

-- Executor: {context, actor, scope, options}
local methods = {}
local mt = object.class("executor", methods)

local function own(self, where)
  if not object.is(self, mt) then
    error("bad argument #1 to '" .. where .. "' (executor expected, got " .. object.type(self) .. ")", 3)
  end
end

local function changed(self, index, value)
  local o = {}
  for i = 1, 4 do o[i] = rawget(self, i) end
  o[index] = value
  return setmetatable(o, mt)
end

-- a copy of `old` with the fields of a script's table laid over it
local function merged(old, t, where)
  if type(t) ~= "table" or object.class_of(t) then
    error("bad argument #1 to '" .. where .. "' (table expected, got " .. (t == nil and "no value" or object.type(t)) .. ")", 3)
  end
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

-- raise where the running process may not give others another identity
local function may_change(what)
  if S.current.guard then
    local refused = security.refused("funcs.security", what)
    if refused then error(refused, 0) end
  end
end

--- Values for the context of callees, laid over those that are there.
function methods.with_context(self, t)
  own(self, "with_context")
  return changed(self, 1, merged(rawget(self, 1), t, "with_context"))
end

function methods.with_actor(self, actor)
  own(self, "with_actor")
  if object.class_of(actor) ~= "actor" then
    error("bad argument #1 to 'with_actor' (actor expected, got " .. (actor == nil and "no value" or object.type(actor)) .. ")", 2)
  end
  may_change("actor")
  return changed(self, 2, actor)
end

function methods.with_scope(self, scope)
  own(self, "with_scope")
  if object.class_of(scope) ~= "scope" then
    error("bad argument #1 to 'with_scope' (scope expected, got " .. (scope == nil and "no value" or object.type(scope)) .. ")", 2)
  end
  may_change("scope")
  return changed(self, 3, scope)
end

--- Options of calls; they replace those of an earlier with_options.
function methods.with_options(self, t)
  own(self, "with_options")
  return changed(self, 4, merged(nil, t, "with_options"))
end

local function dress(self, call)
  local context = rawget(self, 1)
  -- copied again: scripts can reach the tables in their executor, and these go on to the kernel and to other processes
  if context then call.context = merged(call.context, context, "with_context") end
  call.actor = rawget(self, 2) or call.actor
  call.scope = rawget(self, 3) or call.scope
  local options = rawget(self, 4)
  if options then call.options = merged(nil, options, "with_options") end
end

function methods.call(self, id, ...)
  own(self, "call")
  if S.careful > 0 or S.current.nests then may_block("funcs.call") end
  local call, err = prepare("call", id, ...)
  if not call then return nil, err end
  dress(self, call)
  return wait_for(call)
end

function methods.async(self, id, ...)
  own(self, "async")
  if S.careful > 0 or S.current.nests then may_block("funcs.async") end
  local call, err = prepare("async", id, ...)
  if not call then return nil, err end
  dress(self, call)
  return go(call)
end

return function()
  local funcs = {}

  --- Call a function and wait for its result: result, err.
  function funcs.call(id, ...)
    if S.careful > 0 or S.current.nests then may_block("funcs.call") end
    local call, err = prepare("call", id, ...)
    if not call then return nil, err end
    return wait_for(call)
  end

  --- Begin a call: Future, err.
  function funcs.async(id, ...)
    if S.careful > 0 or S.current.nests then may_block("funcs.async") end
    local call, err = prepare("async", id, ...)
    if not call then return nil, err end
    return go(call)
  end

  --- A new executor, without context, actor, scope and options.
  function funcs.new() return setmetatable({}, mt) end

  return funcs
end
