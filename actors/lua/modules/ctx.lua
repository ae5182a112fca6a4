-- The module `ctx` (spec lua-api.md §10): what callers and spawners handed down. Read-only: scripts get copies.

local S = require("state")
local object = require("object")
local errors = require("errors")
local values = require("values")

local type, error, next = type, error, next

return function(rt)
  local ctx = {}

  --- The value of a key; NotFound when nobody handed it down.
  function ctx.get(key)
    if type(key) ~= "string" then
      error("bad argument #1 to 'get' (string expected, got " .. (key == nil and "no value" or object.type(key)) .. ")", 2)
    end
    if key == "" then return rt.invalid("the key must not be empty") end
    local context = S.current.context
    local value
    if context then value = context[key] end
    if value == nil then return nil, errors.make("NotFound", "key not found: " .. key) end
    return (values.copy(value)), nil
  end

  --- All values by key; an empty table when there are none.
  function ctx.all()
    local context = S.current.context
    if not context or next(context) == nil then return {}, nil end
    return (values.copy(context)), nil
  end

  return ctx
end
