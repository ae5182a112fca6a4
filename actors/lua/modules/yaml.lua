-- The module `yaml` (spec lua-api.md §17): PyYAML does the work, JSON is what crosses.

local decode_json = require("modules.json_decode")
local encode_json = require("modules.json_encode")
local errors = require("errors")
local object = require("object")

local type, rawget = type, rawget

local function name_of(v) return v == nil and "nil" or object.type(v) end

return function(rt)
  local mark = rt.object_mark
  local yaml = {}

  function yaml.encode(t, options)
    if type(t) ~= "table" or object.class_of(t) then return rt.invalid("yaml.encode: table expected, got " .. name_of(t)) end
    local order = {}
    if options ~= nil then
      if type(options) ~= "table" or object.class_of(options) then
        return rt.invalid("yaml.encode: the options must be a table, got " .. name_of(options))
      end
      local wanted = rawget(options, "field_order")
      if wanted ~= nil and type(wanted) ~= "table" then return rt.invalid("yaml.encode: field_order must be a list of names") end
      for i = 1, wanted and #wanted or 0 do
        if type(wanted[i]) ~= "string" then return rt.invalid("yaml.encode: field_order must be a list of names") end
        order[i] = wanted[i]
      end
    end
    local text, fault = encode_json(t, mark)
    if not text then return nil, errors.make("Internal", "yaml.encode: " .. fault) end
    local result, kind, message = rt.door("yaml.encode", text, (encode_json(order, mark)))
    if not result then return nil, errors.make(kind, message) end
    return result
  end

  function yaml.decode(text)
    if type(text) ~= "string" then return rt.invalid("yaml.decode: string expected, got " .. name_of(text)) end
    if text == "" then return rt.invalid("yaml.decode: empty text") end
    local document, kind, message = rt.door("yaml.decode", text)
    if not document then return nil, errors.make(kind, message) end
    local ok, value = decode_json(document, mark)
    if not ok then return nil, errors.make("Internal", "yaml.decode: " .. value) end
    return value
  end

  return yaml
end
