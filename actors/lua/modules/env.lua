-- The module `env` (spec lua-api.md §19, registry.md §10.8): variables of the registry, read through the door.

local S = require("state")
local errors = require("errors")
local msgpack = require("msgpack")
local object = require("object")

local type, error, match, find = type, error, string.match, string.find

return function(rt)
  local function text(where, n, v)
    if type(v) ~= "string" then
      error("bad argument #" .. n .. " to '" .. where .. "' (string expected, got " .. (v == nil and "nil" or object.type(v)) .. ")", 3)
    end
    return v
  end

  local function ask(operation, key, value)
    local namespace = match(S.current.entry.id, "^[^:]*")
    local answer, kind, message = rt.door("env", operation, key, value, namespace)
    if not answer then return nil, errors.make(kind, "env: " .. message) end
    return answer
  end

  local env = {}

  --- The value of a variable, by public name or id; an id without namespace means the caller's.
  function env.get(key)
    if text("get", 1, key) == "" then return rt.invalid("env.get: the key must not be empty") end
    return ask("get", key, "")
  end

  --- Set a variable in its storage.
  function env.set(key, value)
    if text("set", 1, key) == "" then return rt.invalid("env.set: the key must not be empty") end
    if find(text("set", 2, value), "%z") then return rt.invalid("env.set: the value must not hold a zero byte") end
    local done, err = ask("set", key, value)
    if not done then return nil, err end
    return true
  end

  --- All variables that have a public name and a value.
  function env.get_all()
    local packed, err = ask("all", "", "")
    if not packed then return nil, err end
    return msgpack.decode(packed)
  end

  return env
end
