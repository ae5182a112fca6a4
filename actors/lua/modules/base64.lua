-- The module `base64` (spec lua-api.md §17). The work is done by Python: the crossing costs less than a loop in Lua.

local object = require("object")

local type = type

return function(rt)
  local function call(name, text)
    if type(text) ~= "string" then
      return rt.invalid("base64: string expected, got " .. (text == nil and "nil" or object.type(text)))
    end
    if text == "" then return "" end
    local result, _, message = rt.door(name, text)
    if not result then return rt.invalid(message) end
    return result
  end
  return {
    encode = function(text) return call("base64.encode", text) end,
    decode = function(text) return call("base64.decode", text) end,
  }
end
