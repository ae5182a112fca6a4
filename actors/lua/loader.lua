-- From the definition of an entry to code that runs: one compilation per VM, one environment per process
-- (spec lua-api.md §1.1, §1.4).

local S = require("state")
local object = require("object")
local errors = require("errors")
local msgpack = require("msgpack")
local timers = require("timers")

local loadstring, setfenv, setmetatable, xpcall = loadstring, setfenv, setmetatable, xpcall
local type, error, next, pairs, rawget, tostring = type, error, next, pairs, rawget, tostring
local r = S.r

-- environments of functions that wait for a call: how many of one function, and how long
local MAX_IDLE, IDLE_SECONDS = 128, 30

local M = {}

--- The door: a synchronous call of Python, set by the kernel.
M.door = false
--- The service table of modules, set by the kernel.
M.rt = false

local built, building = {}, {}   -- module name -> frozen table

-- names that are always there, for `require`
local always = {}

--- Set the shared globals, and which of them `require` finds.
function M.set_globals(globals, names)
  M.globals = globals
  for i = 1, #names do always[names[i]] = globals[names[i]] end
end

--- The built-in module of that name, made at first use; nil when this release has none.
function M.module(name)
  local made = built[name]
  if made ~= nil then return made or nil end
  if always[name] then return always[name] end
  if building[name] then error("module '" .. name .. "' needs itself") end
  local factory = package.preload["modules." .. name] and require("modules." .. name)
  if not factory then
    built[name] = false
    return nil
  end
  building[name] = true
  made = factory(M.rt)
  if not object.class_of(made) then
    -- tables inside of it too: processes share them
    for key, part in pairs(made) do
      if type(part) == "table" and not object.class_of(part) and not object.frozen_name(part) then
        made[key] = object.freeze(part, name .. "." .. key)
      end
    end
    made = object.freeze(made, name)
  end
  building[name] = nil
  built[name] = made
  return made
end

local function make_require(def)
  return function(name)
    local p = S.current
    local target = def.imports[name]
    if target then
      if type(target) == "string" then return M.module(target) end
      return p.libs[target]
    end
    if def.modules[name] then
      local found = M.module(name)
      if found then return found end
      error("module '" .. name .. "' is not available in this release", 2)
    end
    local found = always[name]
    if found then return found end
    error("module '" .. tostring(name) .. "' not found: name it in 'modules' or 'imports' of " .. def.id, 2)
  end
end

local function compile(def, text, name)
  local chunk, problem = loadstring("local __r=... return function() return function(...) " .. text .. "\nend end", "@" .. name)
  if not chunk then return nil, errors.plain("Invalid", problem, false) end
  def.make = chunk(r)
  return def
end

-- the libraries of a definition in the order in which they must run
local function order_libraries(def, order, seen)
  for _, target in pairs(def.imports) do
    if type(target) == "table" and not seen[target] then
      seen[target] = true
      order_libraries(target, order, seen)
      order[#order + 1] = target
    end
  end
  return order
end

--- Load the definition of an entry as it is now. Returns it, or nil and an error.
function M.load(id)
  local def = S.entries[id]
  if def then return def end
  local packed, kind, problem = M.door("entry", id)
  if not packed then return nil, errors.plain(kind, problem, false) end
  local fields = msgpack.decode(packed)
  def = {
    id = fields.id, kind = fields.kind, method = fields.method, number = fields.number,
    modules = {}, imports = {}, idle = {}, limit = fields.limit, overflow = fields.overflow,
    options = fields.options, default_host = fields.default_host, pool = fields.pool, keep = fields.keep,
  }
  for i = 1, #fields.modules do def.modules[fields.modules[i]] = true end
  for alias, target in pairs(fields.imports) do
    if string.find(target, ":", 1, true) then
      local library, err = M.load(target)
      if not library then return nil, err end
      def.imports[alias] = library
    else
      def.imports[alias] = target
    end
  end
  local made, err = compile(def, fields.text, fields.name)
  if not made then return nil, err end
  local base = {}
  for k, v in pairs(M.globals) do base[k] = v end
  for name in pairs(def.modules) do base[name] = M.module(name) or base[name] end
  base.require = make_require(def)
  def.env_mt = {__index = base, __metatable = false}
  def.order = order_libraries(def, {}, {})
  -- a script that keeps nothing at module level may run its top level once for all its processes: nobody can tell
  def.stateless = fields.stateless and next(def.imports) == nil
  S.entries[id] = def
  return def
end

local function new_env(def, libs)
  local env = setmetatable({}, def.env_mt)
  env._G = env
  for alias, target in pairs(def.imports) do
    if type(target) == "string" then env[alias] = M.module(target) else env[alias] = libs[target] end
  end
  return env
end

local run_chunk

local function on_error(raised)
  return {raised, errors.capture(3, nil, run_chunk)}
end

-- Run the top level of a script: synchronously, and nothing may block. Returns ok, value or {raised, frames}.
function run_chunk(def, env)
  local chunk = def.make()
  setfenv(chunk, env)
  local top, careful, left = S.toplevel, S.careful, r.n
  S.toplevel, S.careful, r.n = true, 1, S.slice
  local ok, value = xpcall(chunk, on_error)
  S.toplevel, S.careful, r.n = top, careful, left
  return ok, value
end

local function script_error(def, failure)
  local cause = errors.from_raised(failure[1], failure[2])
  return errors.make(cause:kind(), "failed to execute script " .. def.id .. ": " .. tostring(cause), false, nil, cause:stack())
end

local function instantiate(def, p)
  local libs
  if def.order[1] then
    libs = {}
    p.libs = libs
    for i = 1, #def.order do
      local library = def.order[i]
      local ok, value = run_chunk(library, new_env(library, libs))
      if not ok then return nil, script_error(library, value) end
      if value == nil then value = true end
      libs[library] = value
    end
  end
  local ok, value = run_chunk(def, new_env(def, libs))
  if not ok then return nil, script_error(def, value) end
  if type(value) == "function" then return value end
  if type(value) ~= "table" then
    return nil, errors.plain("Invalid", "the script of " .. def.id .. " must return a table of functions or a function, got " ..
      object.type(value), false)
  end
  local method = rawget(value, def.method)
  if type(method) ~= "function" then
    return nil, errors.plain("NotFound", 'method "' .. def.method .. '" not found in module (' .. def.id .. ")", false)
  end
  return method
end

--- Make an environment for process `p` and run the script in it. Returns the method, or nil and an error. A function
--- call takes an environment that an earlier call left, if there is one.
function M.instantiate(def, p, is_call)
  if def.shared then return def.shared end
  if is_call then
    local n = #def.idle
    local instance = def.idle[n]
    if instance then
      def.idle[n] = nil
      p.instance = instance
      if instance.libs then p.libs = instance.libs end
      if instance.chans then p.chans = instance.chans end
      return instance.method
    end
  end
  local current = S.current
  S.current = p
  local method, err = instantiate(def, p)
  S.current = current
  if def.stateless and method then
    def.shared = method
    return method
  end
  if is_call and method then
    p.instance = {method = method, libs = p.libs, chans = false, used = 0, def = def}
  end
  return method, err
end

-- drop what no call has used for a while; the one used last lies on top
local sweeping = false
local function sweep()
  sweeping = false
  local limit, left = S.now - IDLE_SECONDS, false
  for _, def in pairs(S.entries) do
    local idle = def.idle
    if idle[1] and not def.keep then
      local kept = {}
      for i = 1, #idle do
        if idle[i].used > limit then kept[#kept + 1] = idle[i] end
      end
      def.idle = kept
      left = left or kept[1] ~= nil
    end
  end
  if left then
    sweeping = true
    timers.after(IDLE_SECONDS, sweep)
  end
end

--- Take back the environment of a function call that ended; it serves the next call.
function M.give_back(p, ok)
  local instance = p.instance
  p.instance = nil
  local def = instance.def
  local idle = def.idle
  if not ok or S.entries[def.id] ~= def or #idle >= MAX_IDLE then return end
  local chans = p.chans     -- of module-level locals: the next call may use them
  if chans then
    instance.chans = chans
    for _, queue in next, chans do
      queue.w, queue.ws, queue.ss = false, nil, nil     -- who waited there has ended with the call
    end
  end
  idle[#idle + 1] = instance
  if def.keep then return end
  instance.used = S.now
  if not sweeping then
    sweeping = true
    timers.after(IDLE_SECONDS, sweep)
  end
end

--- Make an environment for the first call of a function.
function M.warm(id)
  local def = M.load(id)
  if not def or def.kind ~= "function.lua" or def.idle[1] then return end
  local p = {entry = def, pid = "", ops = 0, ready = false, inbox = false}
  p.proc = p
  if M.instantiate(def, p, true) and p.instance then M.give_back(p, true) end
end

--- Forget definitions that changed, and those that import them; what runs keeps its code.
function M.invalidate(ids)
  local changed = {}
  for i = 1, #ids do changed[ids[i]] = true end
  for id, def in pairs(S.entries) do
    local stale = changed[id]
    if not stale then
      for i = 1, #def.order do
        if changed[def.order[i].id] then stale = true end
      end
    end
    if stale then S.entries[id] = nil end
  end
end

return M
