-- The module `hash` (spec lua-api.md §16): digests through the door to hashlib, FNV here.

local bit = require("bit")
local ffi = require("ffi")
local object = require("object")

local bxor, lshift, tobit = bit.bxor, bit.lshift, bit.tobit
local byte = string.byte
local type, tonumber = type, tonumber
local uint64 = ffi.typeof("uint64_t")

local ALGORITHMS = {"md5", "sha1", "sha256", "sha512"}

return function(rt)
  local hash = {}

  local function refuse(name, what, v)
    return rt.invalid("hash." .. name .. ": " .. what .. " must be a string, got " .. (v == nil and "nil" or object.type(v)))
  end

  local function finish(result, _, message)
    if not result then return rt.invalid(message) end
    return result
  end

  for _, algorithm in ipairs(ALGORITHMS) do
    hash[algorithm] = function(data, raw)
      if type(data) ~= "string" then return refuse(algorithm, "data", data) end
      return finish(rt.door("hash", algorithm, raw == true and "raw" or "hex", data))
    end
    local name = "hmac_" .. algorithm
    hash[name] = function(data, secret, raw)
      if type(data) ~= "string" then return refuse(name, "data", data) end
      if type(secret) ~= "string" then return refuse(name, "secret", secret) end
      return finish(rt.door("hmac", algorithm, raw == true and "raw" or "hex", data, secret))
    end
  end

  function hash.fnv32(data)
    if type(data) ~= "string" then return refuse("fnv32", "data", data) end
    local h = tobit(0x811c9dc5)
    for i = 1, #data do
      h = bxor(tobit(lshift(h, 24) + h * 403), byte(data, i))     -- times 16777619 = 2^24 + 403
    end
    return h % 4294967296
  end

  function hash.fnv64(data)
    if type(data) ~= "string" then return refuse("fnv64", "data", data) end
    local h = 0xcbf29ce484222325ULL
    for i = 1, #data do h = bxor(h * 1099511628211ULL, uint64(byte(data, i))) end
    return tonumber(h)
  end

  return hash
end
