-- The module `json` (spec lua-api.md §13), in Lua: measured, it costs less than the crossing with its conversions.

local decode = require("modules.json_decode")
local encode = require("modules.json_encode")
local errors = require("errors")
local object = require("object")

local getmetatable, setmetatable, type, error = debug.getmetatable, setmetatable, type, error

return function(rt)
  local mark = rt.object_mark
  local json = {}

  function json.encode(v)
    local text, fault = encode(v, mark)
    if not text then return nil, errors.make("Internal", "json.encode: " .. fault) end
    return text
  end

  function json.decode(text)
    if type(text) ~= "string" then
      return rt.invalid("json.decode: string expected, got " .. (text == nil and "nil" or object.type(text)))
    end
    if text == "" then return rt.invalid("json.decode: empty text") end
    local ok, value = decode(text, mark)
    if not ok then return nil, errors.make("Internal", "json.decode: " .. value) end
    return value
  end

  --- Extension (OP-20): mark a table (a new one by default) so that it encodes as {} when it is empty.
  function json.object(t)
    if t == nil then return setmetatable({}, mark) end
    if type(t) ~= "table" or object.class_of(t) or getmetatable(t) or object.frozen_name(t) then
      error("bad argument #1 to 'object' (plain table expected, got " .. object.type(t) .. ")", 2)
    end
    return setmetatable(t, mark)
  end

  return json
end
