-- The formats of payloads that are texts (spec lua-api.md §14): JSON and msgpack in Lua, YAML through the door.

local decode_json = require("modules.json_decode")
local encode_json = require("modules.json_encode")
local errors = require("errors")
local loader = require("loader")
local message = require("message")
local msgpack = require("msgpack")
local values = require("values")

local format, encoders, decoders = message.format, message.encoders, message.decoders
local mark = values.object_mark

local function internal(text) return nil, errors.make("Internal", "payload: " .. text) end

encoders[format.JSON] = function(value)
  local text, fault = encode_json(value, mark)
  if not text then return internal(fault) end
  return text
end

decoders[format.JSON] = function(text)
  local ok, value = decode_json(text, mark)
  if not ok then return internal(value) end
  return value
end

encoders[format.MSGPACK] = function(value)
  local text, problem = msgpack.encode(value)
  values.dropped = false
  if not text then return internal(problem) end
  return text
end

decoders[format.MSGPACK] = msgpack.decode

encoders[format.YAML] = function(value)
  local json, fault = encode_json(value, mark)
  if not json then return internal(fault) end
  local text, _, problem = loader.door("yaml.encode", json, "[]")
  if not text then return internal(problem) end
  return text
end

decoders[format.YAML] = function(text)
  local json, _, problem = loader.door("yaml.decode", text)
  if not json then return internal(problem) end
  return decoders[format.JSON](json)
end
