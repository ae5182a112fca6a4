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

  -- a schema as JSON text, or nil and the error
  local function schema_text(name, schema)
    if type(schema) == "string" then return schema end
    if type(schema) ~= "table" or object.class_of(schema) then
      local _, err = rt.invalid("json." .. name .. ": the schema must be a table or JSON text, got " .. object.type(schema))
      return nil, err
    end
    local text, fault = encode(schema, mark)
    if not text then
      local _, err = rt.invalid("json." .. name .. ": the schema: " .. fault)
      return nil, err
    end
    return text
  end

  local function validate(name, schema, document)
    local faults, kind, message = rt.door("json.validate", schema, document)
    if not faults then return false, errors.make(kind, "json." .. name .. ": " .. message) end
    if faults ~= "" then return false, errors.make("Invalid", faults) end
    return true, nil
  end

  --- Check a value against a JSON Schema: true, or false and an error whose message has one fault a line.
  function json.validate(schema, v)
    local text, err = schema_text("validate", schema)
    if not text then return false, err end
    local document, fault = encode(v, mark)
    if not document then return false, errors.make("Internal", "json.validate: " .. fault) end
    return validate("validate", text, document)
  end

  function json.validate_string(schema, document)
    local text, err = schema_text("validate_string", schema)
    if not text then return false, err end
    if type(document) ~= "string" then
      local _, wrong = rt.invalid("json.validate_string: string expected, got " .. object.type(document))
      return false, wrong
    end
    return validate("validate_string", text, document)
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
