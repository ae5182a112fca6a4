-- The module `crypto` (spec lua-api.md §15): random values from the source of the VM.

local make_source = require("modules.entropy")
local make_uuid = require("modules.uuid")
local object = require("object")

local byte, char = string.byte, string.char
local concat = table.concat
local type, tostring = type, tostring

local MOST = 1048576
local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

return function(rt)
  local random_bytes = make_source(rt)
  local random = {}

  local function size_fault(name, n)
    if type(n) ~= "number" then
      return "crypto.random." .. name .. ": number expected, got " .. (n == nil and "nil" or object.type(n))
    end
    if n % 1 ~= 0 or n < 1 or n > MOST then
      return "crypto.random." .. name .. ": the length must be 1 to " .. MOST .. ", got " .. tostring(n)
    end
    return nil
  end

  function random.bytes(n)
    local fault = size_fault("bytes", n)
    if fault then return rt.invalid(fault) end
    return random_bytes(n)
  end

  --- Text of `n` bytes, each one of the charset's with equal chance.
  function random.string(n, charset)
    local fault = size_fault("string", n)
    if fault then return rt.invalid(fault) end
    if charset == nil then charset = LETTERS end
    if type(charset) ~= "string" or charset == "" or #charset > 256 then
      return rt.invalid("crypto.random.string: the charset must be a text of 1 to 256 bytes")
    end
    local choices = #charset
    local usable = 256 - 256 % choices          -- what lies above would favour the first ones
    local out, filled = {}, 0
    while filled < n do
      local raw = random_bytes(n - filled)
      for i = 1, #raw do
        local value = byte(raw, i)
        if value < usable then
          filled = filled + 1
          out[filled] = char(byte(charset, value % choices + 1))
        end
      end
    end
    return concat(out)
  end

  random.uuid = make_uuid(rt).v4

  return {random = random}
end
