-- Actors, scopes and the checks of what a process may do (spec lua-api.md §24, registry.md §11). Python decides.
-- What scripts hold are empty tables; their data stands here, where no script reaches it.

local S = require("state")
local object = require("object")
local errors = require("errors")
local values = require("values")
local loader = require("loader")
local encode_json = require("modules.json_encode")
local decode_json = require("modules.json_decode")

local setmetatable, pairs, concat = setmetatable, pairs, table.concat

local M = {}

local data = setmetatable({}, {__mode = "k"})

M.actor_methods, M.scope_methods, M.policy_methods = {}, {}, {}
M.actor_mt = object.class("actor", M.actor_methods)
M.scope_mt = object.class("scope", M.scope_methods)
M.policy_mt = object.class("policy", M.policy_methods)

--- What stands behind an object of this module.
function M.of(thing) return data[thing] end

--- Make an actor; `meta` is JSON text.
function M.actor(id, meta)
  local made = setmetatable({}, M.actor_mt)
  data[made] = {id = id, meta = meta}
  return made
end

--- Make a scope of policy ids; the list is given away.
function M.scope(policies)
  local made = setmetatable({}, M.scope_mt)
  data[made] = policies
  return made
end

function M.policy(id)
  local made = setmetatable({}, M.policy_mt)
  data[made] = id
  return made
end

--- Text of a table that holds what JSON can; nil and why not.
function M.text(t)
  return encode_json(t, values.object_mark)
end

function M.value(text)
  local _, value = decode_json(text, values.object_mark)
  return value
end

--- An identity as text, for the way to another VM; nil for none.
function M.pack(actor, scope)
  if not actor and not scope then return nil end
  local told = {}
  if actor then told.id, told.meta = data[actor].id, data[actor].meta end
  if scope then told.policies = data[scope] end
  return (M.text(told))
end

function M.unpack(text)
  local told = M.value(text)
  local actor = told.id and M.actor(told.id, told.meta or "{}") or nil
  return actor, told.policies and M.scope(told.policies) or nil
end

--- Give a new process its identity; it is checked if it has both halves, or if all are.
function M.dress(p, spec)
  local actor, scope = spec.actor, spec.scope
  if spec.security then actor, scope = M.unpack(spec.security) end
  if actor then p.actor = actor end
  if scope then p.scope = scope end
  p.dressed = true
  if (actor and scope) or S.strict then p.guard = true end
end

--- What policies say: "allow", "deny" or "undefined"; nil and an error when they cannot.
function M.evaluate(actor, policies, action, resource, meta)
  local who = data[actor]
  local question, problem = M.text({
    actor = who.id, actor_meta = who.meta, policies = policies, action = action, resource = resource, meta = meta,
  })
  if not question then return nil, errors.make("Invalid", "the meta of the question: " .. problem) end
  local verdict, kind, message = loader.door("security", question)
  if not verdict then return nil, errors.make(kind, message) end
  return verdict
end

--- Tell whether the running process may do something, and why not.
function M.may(action, resource, meta)
  local p = S.current
  local actor, scope = p.actor, p.scope
  if not actor or not scope then
    if not S.strict then return true end
    return false, "strict mode asks for an actor and a scope"
  end
  local verdict, err = M.evaluate(actor, data[scope], action, resource, meta)
  if verdict == "allow" then return true end
  if not verdict then return false, err:message() end
  return false, (verdict == "deny" and "a policy denies it" or "no policy allows it") .. " to " .. data[actor].id
end

--- The error for what the running process may not do; nothing when it may. Asked where `p.guard` is set.
function M.refused(action, resource, meta)
  local allowed, why = M.may(action, resource, meta)
  if allowed then return nil end
  return errors.make("PermissionDenied", concat({"not allowed: ", action, " on ", resource, ": ", why}), false,
    {action = action, resource = resource})
end

local resolve

--- The error for what the running process may not do with a destination, if that exists.
function M.refused_to(action, dest)
  local q, where = resolve(dest)
  if q or where then return M.refused(action, q and q.pid or where.text) end
end

--- Put the checks before the functions of `process` that act on others; `find` resolves destinations.
function M.guard(api, find)
  resolve = find
  for _, name in pairs({"cancel", "terminate", "monitor", "link"}) do
    local act, action = api[name], "process." .. name
    api[name] = function(dest, ...)
      local refused = S.current.guard and M.refused_to(action, dest)
      if refused then return nil, refused end
      return act(dest, ...)
    end
  end
end

return M
