-- Messages as a receiver sees them, and payloads (spec lua-api.md §4.7, §14).
-- A message is {topic, sender, value, arrival number, count of payloads when not one}.

local object = require("object")
local errors = require("errors")
local values = require("values")

local setmetatable, rawget, type, error, tostring = setmetatable, rawget, type, error, tostring

local M = {}

local payload_methods = {}
local payload_mt = object.class("payload", payload_methods)
values.payload_mt = payload_mt
M.payload_mt = payload_mt

local format = {
  JSON = "json/plain",
  YAML = "yaml/plain",
  STRING = "text/plain",
  BYTES = "application/octet-stream",
  MSGPACK = "application/msgpack",
  LUA = "lua/any",
  GOLANG = "golang/any",
  ERROR = "golang/error",
}
M.format = format

-- encoders and decoders of the formats that are texts; formats.lua fills them. Each returns the result, or nil and an
-- error.
M.decoders, M.encoders = {}, {}

-- a payload is {value, format, text}: the value decoded, the format when it is not the plain one, and what it is encoded
function payload_methods.data(self) return rawget(self, 1) end

payload_methods.unmarshal = payload_methods.data

function payload_methods.get_format(self)
  local fmt = rawget(self, 2)
  if fmt then return fmt end
  return errors.is_error(rawget(self, 1)) and format.ERROR or format.LUA
end

function payload_methods.transcode(self, wanted)
  if type(wanted) ~= "string" then
    error("bad argument #1 to 'transcode' (string expected, got " .. object.type(wanted) .. ")", 2)
  end
  local value, text = rawget(self, 1), rawget(self, 3)
  if wanted == format.LUA then return setmetatable({value}, payload_mt) end
  if wanted == format.GOLANG then return setmetatable({value, wanted}, payload_mt) end
  if wanted == format.ERROR and errors.is_error(value) then return setmetatable({value}, payload_mt) end
  if wanted == format.STRING or wanted == format.BYTES then
    if type(text) == "string" then value = text end
    if type(value) == "string" then return setmetatable({value, wanted}, payload_mt) end
  end
  local encode = M.encoders[wanted]
  if not encode then
    return nil, errors.make("Internal", "cannot transcode " .. tostring(payload_methods.get_format(self)) .. " to " .. wanted)
  end
  local encoded, problem = encode(value)
  if encoded == nil then return nil, problem end
  local decoded, fault = M.decoders[wanted](encoded)
  if fault ~= nil then return nil, fault end
  return setmetatable({decoded, wanted, encoded}, payload_mt)
end

function M.payload(value) return setmetatable({value}, payload_mt) end

-- the global `payload`
M.api = {
  new = function(value) return setmetatable({value}, payload_mt) end,
  format = object.freeze(format, "payload.format"),
}

local methods = {}
function methods.topic(self) return rawget(self, 1) end
function methods.from(self) return rawget(self, 2) end
function methods.payload(self)
  local n = rawget(self, 5)
  local value = rawget(self, 3)
  if n and n ~= 1 then
    if n == 0 then return nil end
    local list = {}
    for i = 1, n do list[i] = setmetatable({value[i]}, payload_mt) end
    return list
  end
  if value == nil then return nil end
  return setmetatable({value}, payload_mt)
end

-- a field that is not a method is looked up in a table payload (OP-10)
local mt = object.class("message", methods, {
  __index = function(self, key)
    local method = methods[key]
    if method then return method end
    local value = rawget(self, 3)
    if type(value) == "table" then return value[key] end
    return nil
  end,
})
M.mt = mt

return M
