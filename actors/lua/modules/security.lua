-- The module `security` (spec lua-api.md §24): who a process is, and what it may do.

local S = require("state")
local object = require("object")
local errors = require("errors")
local security = require("security")

local type, error, rawget = type, error, rawget

local function shown(v) return v == nil and "no value" or object.type(v) end

local function text(v, n, where)
  if type(v) ~= "string" then
    error("bad argument #" .. n .. " to '" .. where .. "' (string expected, got " .. shown(v) .. ")", 3)
  end
  return v
end

local function a(v, mt, n, where, name)
  if not object.is(v, mt) then
    error("bad argument #" .. n .. " to '" .. where .. "' (" .. name .. " expected, got " .. shown(v) .. ")", 3)
  end
  return security.of(v)
end

local function a_meta(v, n, where)
  if v == nil then return nil end
  if type(v) ~= "table" or object.class_of(v) then
    error("bad argument #" .. n .. " to '" .. where .. "' (table expected, got " .. shown(v) .. ")", 3)
  end
  return v
end

local function policy_id(v, where)
  if type(v) == "string" then return v end
  return a(v, security.policy_mt, 1, where, "policy")
end

local actor, scope, policy = security.actor_methods, security.scope_methods, security.policy_methods

function actor:id() return a(self, security.actor_mt, 1, "id", "actor").id end
function actor:meta() return security.value(a(self, security.actor_mt, 1, "meta", "actor").meta) end

function policy:id() return a(self, security.policy_mt, 1, "id", "policy") end

--- What this policy alone says: "allow", "deny" or "undefined".
function policy:evaluate(who, action, resource, meta)
  local id = a(self, security.policy_mt, 1, "evaluate", "policy")
  a(who, security.actor_mt, 1, "evaluate", "actor")
  return security.evaluate(who, {id}, text(action, 2, "evaluate"), text(resource, 3, "evaluate"), a_meta(meta, 4, "evaluate"))
end

--- A scope with one policy more.
scope["with"] = function(self, added)
  local ids, id = a(self, security.scope_mt, 1, "with", "scope"), a(added, security.policy_mt, 1, "with", "policy")
  local list = {}
  for i = 1, #ids do
    list[i] = ids[i]
    if ids[i] == id then return self end
  end
  list[#list + 1] = id
  return security.scope(list)
end

--- A scope with one policy less.
function scope:without(removed)
  local ids, id = a(self, security.scope_mt, 1, "without", "scope"), policy_id(removed, "without")
  local list = {}
  for i = 1, #ids do
    if ids[i] ~= id then list[#list + 1] = ids[i] end
  end
  return security.scope(list)
end

function scope:contains(wanted)
  local ids, id = a(self, security.scope_mt, 1, "contains", "scope"), policy_id(wanted, "contains")
  for i = 1, #ids do
    if ids[i] == id then return true end
  end
  return false
end

function scope:policies()
  local ids, list = a(self, security.scope_mt, 1, "policies", "scope"), {}
  for i = 1, #ids do list[i] = security.policy(ids[i]) end
  return list
end

--- What the scope says: any deny, else any allow, else "undefined".
function scope:evaluate(who, action, resource, meta)
  local ids = a(self, security.scope_mt, 1, "evaluate", "scope")
  a(who, security.actor_mt, 1, "evaluate", "actor")
  return security.evaluate(who, ids, text(action, 2, "evaluate"), text(resource, 3, "evaluate"), a_meta(meta, 4, "evaluate"))
end

return function(rt)
  local M = {}

  function M.actor() return S.current.actor end
  function M.scope() return S.current.scope end

  --- Tell whether the running process may do something.
  function M.can(action, resource, meta)
    return (security.may(text(action, 1, "can"), text(resource, 2, "can"), a_meta(meta, 3, "can")))
  end

  function M.new_actor(id, meta)
    if text(id, 1, "new_actor") == "" then return rt.invalid("security.new_actor: the id must not be empty") end
    local packed, problem = "{}", nil
    if a_meta(meta, 2, "new_actor") then packed, problem = security.text(meta) end
    if not packed then return rt.invalid("security.new_actor: " .. problem) end
    return security.actor(id, packed)
  end

  function M.new_scope(policies)
    local list = {}
    if a_meta(policies, 1, "new_scope") then
      for i = 1, #policies do
        local one = rawget(policies, i)
        if not object.is(one, security.policy_mt) then
          error("bad argument #1 to 'new_scope' (list of policies expected, got " .. shown(one) .. " at " .. i .. ")", 2)
        end
        list[i] = security.of(one)
      end
    end
    return security.scope(list)
  end

  function M.policy(id)
    local found, kind, message = rt.door("security.policy", text(id, 1, "policy"))
    if not found then return nil, errors.make(kind, message) end
    return security.policy(id)
  end

  function M.named_scope(group)
    local found, kind, message = rt.door("security.group", text(group, 1, "named_scope"))
    if not found then return nil, errors.make(kind, message) end
    return security.scope(security.value(found))
  end

  function M.token_store(id)
    text(id, 1, "token_store")
    return nil, errors.make("Unavailable", "security.token_store: this release has no token stores")
  end

  return M
end
