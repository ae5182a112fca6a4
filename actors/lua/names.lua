-- `process.registry` (spec lua-api.md §4.10): the replica of the names in this VM, and claims at the authority, which is
-- Python's, through the door.

local S = require("state")
local object = require("object")
local errors = require("errors")
local scheduler = require("scheduler")
local pids = require("pids")
local loader = require("loader")
local remote = require("remote")

local type = type
local procs = S.procs
local parse, alive = pids.parse, pids.alive
local switch = scheduler.switch
local not_found = remote.not_found

local function invalid(message) return nil, errors.make("Invalid", message) end

local registry = {LOCAL = 0, EVENTUAL = 1, CONSISTENT = 2, STRONG = 3}
local SCOPES = {[1] = "eventual", [2] = "consistent", [3] = "strong"}

local function check_scope(scope)
  if scope == nil then return nil end
  if type(scope) ~= "number" then return errors.make("Invalid", "the scope must be a number, got " .. object.type(scope)) end
  if scope ~= 0 then return errors.make("Internal", (SCOPES[scope] or "that") .. " registry not available") end
end

function registry.register(name, pid, scope)
  scheduler.definitions_only("process.registry.register")
  if type(name) ~= "string" or name == "" then return invalid("the name must be a non-empty string") end
  if parse(name) then return invalid("a name must not look like a PID: " .. name) end
  if pid ~= nil and type(pid) ~= "string" then return invalid("the pid must be a string, got " .. object.type(pid)) end
  local problem = check_scope(scope)
  if problem then return nil, problem end
  local p = S.current
  local target = p
  local text = p.pid
  if pid ~= nil then
    local where = parse(pid)
    if not where then return invalid("not a PID: " .. pid) end
    text = where.text
    target = procs[text]
    if not target and not (where.vm and where.vm ~= S.vm and alive(where)) then return nil, not_found(pid) end
  end
  local holder = loader.door("claim", name, text)
  if holder ~= text then return nil, errors.make("AlreadyExists", "name already registered: " .. name, nil, {pid = holder}) end
  S.names[name] = text
  if target then
    local names = target.names
    if not names then
      names = {}
      target.names = names
    end
    names[name] = true
  end
  switch()
  return true
end

function registry.lookup(name)
  if type(name) ~= "string" then return invalid("the name must be a string, got " .. object.type(name)) end
  switch()
  local pid = S.names[name]
  if not pid then return nil, errors.plain("NotFound", "name not registered: " .. name) end
  return pid
end

function registry.unregister(name, scope)
  if type(name) ~= "string" then return invalid("the name must be a string, got " .. object.type(name)) end
  local problem = check_scope(scope)
  if problem then return nil, problem end
  local pid = S.names[name]
  if not pid then
    switch()
    return false
  end
  loader.door("unregister", name)
  S.names[name] = nil
  local p = procs[pid]
  if p and p.names then p.names[name] = nil end
  switch()
  return true
end

return registry
