-- The module `uuid` (spec lua-api.md §9), on the clock and the random source of the VM.

local ffi = require("ffi")
local make_source = require("modules.entropy")
local object = require("object")

local byte, char, find, format, gsub, lower, match, sub =
  string.byte, string.char, string.find, string.format, string.gsub, string.lower, string.match, string.sub
local floor, type, tonumber, tostring = math.floor, type, tonumber, tostring
local uint64 = ffi.typeof("uint64_t")

local EPOCH = 122192928000000000ULL      -- 100 ns steps from 1582-10-15 to 1970

local function dashed(hex)
  return sub(hex, 1, 8) .. "-" .. sub(hex, 9, 12) .. "-" .. sub(hex, 13, 16) .. "-" .. sub(hex, 17, 20) .. "-" .. sub(hex, 21)
end

local function hex_of(raw)
  return (gsub(raw, ".", function(c) return format("%02x", byte(c)) end))
end

-- 16 bytes with version and variant set, as text
local function stamped(raw, version)
  local seventh, ninth = byte(raw, 7) % 16 + version * 16, byte(raw, 9) % 64 + 128
  return dashed(hex_of(sub(raw, 1, 6) .. char(seventh) .. sub(raw, 8, 8) .. char(ninth) .. sub(raw, 10, 16)))
end

-- the 32 digits of any accepted form, or nil
local function digits_of(text)
  if type(text) ~= "string" then return nil end
  local size = #text
  if size == 45 and lower(sub(text, 1, 9)) == "urn:uuid:" then text = sub(text, 10)
  elseif size == 38 and find(text, "^{.*}$") then text = sub(text, 2, 37) end
  if #text == 36 then
    local a, b, c, d, e = match(text, "^(%x+)%-(%x+)%-(%x+)%-(%x+)%-(%x+)$")
    if not a or #a ~= 8 or #b ~= 4 or #c ~= 4 or #d ~= 4 then return nil end
    return lower(a .. b .. c .. d .. e)
  end
  if size == 32 and find(text, "^%x+$") then return lower(text) end
  return nil
end

local function variant_of(hex)
  local bits = tonumber(sub(hex, 17, 17), 16)
  if bits < 8 then return "Reserved" elseif bits < 12 then return "RFC4122" elseif bits < 14 then return "Microsoft" end
  return "Future"
end

return function(rt)
  local random_bytes = make_source(rt)
  local uuid = {}

  local function wrong(name, v)
    if type(v) ~= "string" then
      return rt.invalid("uuid." .. name .. ": string expected, got " .. (v == nil and "nil" or object.type(v)))
    end
    return rt.invalid("uuid." .. name .. ": not a UUID: " .. (#v > 64 and sub(v, 1, 61) .. "..." or v))
  end

  local last_step, node, sequence = uint64(0), nil, nil
  function uuid.v1()
    local sec, nsec = rt.wall_parts()
    local step = uint64(sec) * 10000000 + uint64(floor(nsec / 100)) + EPOCH
    if not node then
      local raw = random_bytes(8)
      sequence = byte(raw, 1) % 64 * 256 + byte(raw, 2)
      node = char(byte(raw, 3) % 128 + (byte(raw, 3) % 2 == 0 and 1 or 0)) .. sub(raw, 4)   -- multicast: no real card
    end
    if step <= last_step then step = last_step + 1 end       -- the clock may stand within a step
    last_step = step
    local low, mid = tonumber(step % 0x100000000ULL), tonumber(step / 0x100000000ULL % 0x10000ULL)
    local high = tonumber(step / 0x1000000000000ULL) % 4096
    return format("%08x-%04x-%04x-%04x-", low, mid, high + 0x1000, sequence + 0x8000) .. hex_of(node)
  end

  function uuid.v4() return stamped(random_bytes(16), 4) end

  local last_ms, last_part = 0, 0
  function uuid.v7()
    local sec, nsec = rt.wall_parts()
    local ms = sec * 1000 + floor(nsec / 1000000)
    local part = floor(nsec % 1000000 * 4096 / 1000000)      -- 12 bits of the millisecond, so that they sort
    if ms < last_ms or ms == last_ms and part <= last_part then
      ms, part = last_ms, last_part + 1
      if part > 4095 then ms, part = ms + 1, 0 end
    end
    last_ms, last_part = ms, part
    local raw = random_bytes(8)
    local text = format("%08x%04x7%03x", floor(ms / 65536), ms % 65536, part)
    return dashed(text .. format("%02x", byte(raw, 1) % 64 + 128) .. hex_of(sub(raw, 2)))
  end

  local function named(name, algorithm, version)
    return function(space, text)
      local hex = digits_of(space)
      if not hex then return wrong(name, space) end
      if type(text) ~= "string" then
        return rt.invalid("uuid." .. name .. ": the name must be a string, got " .. (text == nil and "nil" or object.type(text)))
      end
      local raw = gsub(hex, "..", function(pair) return char(tonumber(pair, 16)) end)
      local digest, _, message = rt.door("hash", algorithm, "raw", raw .. text)
      if not digest then return rt.invalid(message) end
      return stamped(digest, version)
    end
  end
  uuid.v3 = named("v3", "md5", 3)
  uuid.v5 = named("v5", "sha1", 5)

  function uuid.validate(v) return digits_of(v) ~= nil, nil end

  function uuid.version(v)
    local hex = digits_of(v)
    if not hex then return wrong("version", v) end
    return tonumber(sub(hex, 13, 13), 16)
  end

  function uuid.variant(v)
    local hex = digits_of(v)
    if not hex then return wrong("variant", v) end
    return variant_of(hex)
  end

  function uuid.parse(v)
    local hex = digits_of(v)
    if not hex then return wrong("parse", v) end
    local version = tonumber(sub(hex, 13, 13), 16)
    local parsed = {version = version, variant = variant_of(hex)}
    if version == 1 then
      local high, mid, low = tonumber(sub(hex, 14, 16), 16), tonumber(sub(hex, 9, 12), 16), tonumber(sub(hex, 1, 8), 16)
      local step = (uint64(high) * 65536 + mid) * 0x100000000ULL + low
      parsed.timestamp = tonumber(step / 10000000) - 12219292800
      parsed.node = sub(hex, 21)
    elseif version == 7 then
      parsed.timestamp = floor(tonumber(sub(hex, 1, 12), 16) / 1000)
    end
    return parsed
  end

  function uuid.format(v, kind)
    local hex = digits_of(v)
    if not hex then return wrong("format", v) end
    if kind == nil or kind == "standard" then return dashed(hex) end
    if kind == "simple" then return hex end
    if kind == "urn" then return "urn:uuid:" .. dashed(hex) end
    return rt.invalid("uuid.format: unknown format " .. tostring(kind) .. " (want standard, simple or urn)")
  end

  return uuid
end
