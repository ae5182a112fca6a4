-- msgpack between the kernel and Python: one growing buffer for what leaves, one reader for what comes.
-- Extensions: 1 = structured error, 2 = empty object (a dict without keys).

local ffi = require("ffi")
local bit = require("bit")
local errors = require("errors")
local values = require("values")
local object = require("object")

local band, rshift, bor, lshift = bit.band, bit.rshift, bit.bor, bit.lshift
local dgetmetatable, setmetatable = debug.getmetatable, setmetatable
local next, type, rawget, tostring, floor = next, type, rawget, tostring, math.floor
local copy, cast, fstring, ffi_new = ffi.copy, ffi.cast, ffi.string, ffi.new
local new = require("table.new")
local error_mt, object_mark = errors.mt, values.object_mark
local classes = object.classes

local M = {}

local u8p = ffi.typeof("uint8_t *")
local cu8p = ffi.typeof("const uint8_t *")
local scratch = ffi.new("union { double d; float f; uint8_t b[8]; }")
local MAX_DEPTH = 200
local MAX_INT = 9007199254740992
local MAX_BYTES = 67108864     -- of one value: shared tables are written as often as they are met

local cap = 65536
local buf = ffi_new("uint8_t[?]", cap)
local out = {n = 0, most = 0}

local function reserve(n)
  local wanted = out.n + n
  if wanted > cap then
    while cap < wanted do cap = cap * 2 end
    local bigger = ffi_new("uint8_t[?]", cap)
    copy(bigger, buf, out.n)
    buf = bigger
  end
end

local function byte(b)
  reserve(1)
  buf[out.n] = b
  out.n = out.n + 1
end

local function be16(tag, v)
  reserve(3)
  local n = out.n
  buf[n] = tag
  buf[n + 1] = rshift(v, 8)
  buf[n + 2] = band(v, 255)
  out.n = n + 3
end

local function be32(tag, v)
  reserve(5)
  local n = out.n
  buf[n] = tag
  buf[n + 1] = floor(v / 16777216)
  buf[n + 2] = band(floor(v / 65536), 255)
  buf[n + 3] = band(floor(v / 256), 255)
  buf[n + 4] = v % 256
  out.n = n + 5
end

local function double(v)
  reserve(9)
  local n = out.n
  scratch.d = v
  buf[n] = 0xcb
  for i = 0, 7 do buf[n + 1 + i] = scratch.b[7 - i] end
  out.n = n + 9
end

local function number(v)
  if v ~= floor(v) or v > MAX_INT or v < -MAX_INT then return double(v) end
  if v >= 0 then
    if v < 128 then return byte(v) end
    if v < 65536 then return be16(0xcd, v) end
    if v < 4294967296 then return be32(0xce, v) end
    local high = floor(v / 4294967296)
    be32(0xcf, high)
    be32(0, v - high * 4294967296)
    -- the second half carries no tag: close the gap it left
    local n = out.n
    buf[n - 5] = buf[n - 4]; buf[n - 4] = buf[n - 3]; buf[n - 3] = buf[n - 2]; buf[n - 2] = buf[n - 1]
    out.n = n - 1
    return
  end
  if v >= -32 then return byte(256 + v) end
  -- -0 came as 0 above; the rest of the negatives are rare enough for one form
  double(v)
  local n = out.n - 9
  buf[n] = 0xd3
  local low, high = v % 4294967296, floor(v / 4294967296)
  if high < 0 then high = high + 4294967296 end
  for i = 0, 3 do
    buf[n + 4 - i] = floor(high / 256 ^ i) % 256
    buf[n + 8 - i] = floor(low / 256 ^ i) % 256
  end
end

-- UTF-8 text goes as str, other bytes as bin
local function is_utf8(p, n)
  local i = 0
  while i < n do
    local c = p[i]
    if c < 0x80 then
      i = i + 1
    else
      local more, low
      if c >= 0xc2 and c <= 0xdf then more, low = 1, 0x80
      elseif c >= 0xe0 and c <= 0xef then more, low = 2, c == 0xe0 and 0xa0 or 0x80
      elseif c >= 0xf0 and c <= 0xf4 then more, low = 3, c == 0xf0 and 0x90 or 0x80
      else return false end
      if i + more >= n then return false end
      local d = p[i + 1]
      if d < low or d > 0xbf or (c == 0xed and d > 0x9f) or (c == 0xf4 and d > 0x8f) then return false end
      for j = 2, more do
        d = p[i + j]
        if d < 0x80 or d > 0xbf then return false end
      end
      i = i + more + 1
    end
  end
  return true
end

local function text(s)
  local n = #s
  if is_utf8(cast(cu8p, s), n) then
    if n < 32 then byte(0xa0 + n)
    elseif n < 256 then byte(0xd9); byte(n)
    elseif n < 65536 then be16(0xda, n)
    else be32(0xdb, n) end
  elseif n < 256 then byte(0xc4); byte(n)
  elseif n < 65536 then be16(0xc5, n)
  else be32(0xc6, n) end
  reserve(n)
  copy(buf + out.n, s, n)
  out.n = out.n + n
end

--- Append bytes as bin, whatever they hold.
function M.bin(s)
  local n = #s
  be32(0xc6, n)
  reserve(n)
  copy(buf + out.n, s, n)
  out.n = out.n + n
end

local function array(n)
  if n < 16 then byte(0x90 + n) elseif n < 65536 then be16(0xdc, n) else be32(0xdd, n) end
end
M.array = array

local encode

-- how long a table is as a list: its length when its keys are exactly 1..n, else nil (and the count of keys)
local function list_length(t)
  local n = #t
  local count = 0
  for _ in next, t do count = count + 1 end
  if count == n then return n end
  return nil, count
end

local function ext(kind, write)
  be32(0xc9, 0)
  local at = out.n - 4
  byte(kind)
  local start = out.n
  local bad, what = write()
  local n = out.n - start
  buf[at] = floor(n / 16777216)
  buf[at + 1] = band(floor(n / 65536), 255)
  buf[at + 2] = band(floor(n / 256), 255)
  buf[at + 3] = n % 256
  return bad, what
end

local function encode_error(err, depth, seen)
  return ext(1, function()
    array(5)
    text((rawget(err, 6) or "") .. tostring(rawget(err, 1)))
    text(rawget(err, 2) or "")
    local retryable = rawget(err, 3)
    if retryable == nil then byte(0xc0) else byte(retryable and 0xc3 or 0xc2) end
    local details = rawget(err, 4)
    if details == nil then
      byte(0xc0)
    else
      -- an error crosses in any case: details that cannot are replaced by the reason
      local mark = out.n
      local above = {}
      for t in next, seen do above[t] = true end
      local path, what = encode(details, depth + 1, above)
      if path then
        out.n = mark
        encode({lost = "a " .. what .. " cannot be sent (at details" .. path .. ")"}, 0, {})
      end
    end
    text(err:stack())
  end)
end

-- Returns a path and a word for what cannot be sent, or nothing.
function encode(v, depth, seen)
  local tv = type(v)
  if tv == "string" then text(v)
  elseif tv == "number" then number(v)
  elseif tv == "nil" then byte(0xc0)
  elseif tv == "boolean" then byte(v and 0xc3 or 0xc2)
  elseif tv == "table" then
    local mt = dgetmetatable(v)
    if mt then
      if depth > MAX_DEPTH then return "", "value nested deeper than " .. MAX_DEPTH .. " levels" end
      if mt == error_mt then return encode_error(v, depth, seen) end
      if mt == values.payload_mt then return encode(rawget(v, 1), depth + 1, seen) end
      if classes[mt] then
        values.dropped = classes[mt]
        byte(0xc0)
        return
      end
    end
    if depth > MAX_DEPTH then return "", "table nested deeper than " .. MAX_DEPTH .. " levels" end
    if out.n > out.most then return "", "value of more than " .. MAX_BYTES .. " bytes" end
    if seen[v] then return "", "table that contains itself" end
    seen[v] = true
    local n, count = list_length(v)
    if n == 0 then
      if mt == object_mark then byte(0x80) else byte(0x90) end
    elseif n then
      array(n)
      for i = 1, n do
        local path, what = encode(v[i], depth + 1, seen)
        if path then return "[" .. i .. "]" .. path, what end
      end
    else
      if count < 16 then byte(0x80 + count) elseif count < 65536 then be16(0xde, count) else be32(0xdf, count) end
      for k, x in next, v do
        local tk = type(k)
        if tk ~= "string" and tk ~= "number" and tk ~= "boolean" then return "[key]", tk .. " as a key" end
        encode(k, depth, seen)
        local path, what = encode(x, depth + 1, seen)
        if path then return (tk == "string" and "." .. k or "[" .. tostring(k) .. "]") .. path, what end
      end
    end
    seen[v] = nil
  else
    return "", tv
  end
end

--- Append a value to what leaves. On failure nothing is appended and a message is returned.
function M.put(v)
  local start = out.n
  out.most = start + MAX_BYTES
  local path, what = encode(v, 0, {})
  if path then
    out.n = start
    return "a " .. what .. " cannot be sent (at value" .. path .. ")"
  end
end

M.number, M.text, M.byte = number, text, byte

--- Mark the place reached, so that a record can be taken back with `reset`.
function M.mark() return out.n end
function M.reset(n) out.n = n end

--- Take everything that was appended, as a string.
function M.take()
  local s = fstring(buf, out.n)
  out.n = 0
  if cap > 16777216 then
    cap = 65536
    buf = ffi_new("uint8_t[?]", cap)
  end
  return s
end

--- Encode one value alone. Returns the string, or nil and a message.
function M.encode(v)
  local start = out.n
  local problem = M.put(v)
  if problem then return nil, problem end
  local s = fstring(buf + start, out.n - start)
  out.n = start
  return s
end

-- reading: `input` is the string, `p` its bytes, position kept in `at`
local p = cast(cu8p, "")
local at = 0

local function u16()
  local v = p[at] * 256 + p[at + 1]
  at = at + 2
  return v
end

local function u32()
  local v = p[at] * 16777216 + p[at + 1] * 65536 + p[at + 2] * 256 + p[at + 3]
  at = at + 4
  return v
end

local function bytes(n)
  local s = fstring(p + at, n)
  at = at + n
  return s
end

local decode

local function read_array(n)
  local t = new(n < 1048576 and n or 0, 0)
  for i = 1, n do t[i] = decode() end
  return t
end

local function read_map(n)
  if n == 0 then return setmetatable({}, object_mark) end
  local t = new(0, n < 1048576 and n or 0)
  for _ = 1, n do
    local k = decode()
    local v = decode()
    if k ~= nil then t[k] = v end
  end
  return t
end

local function read_ext(n)
  local kind = p[at]
  at = at + 1
  if kind == 1 then
    local fields = decode()
    return setmetatable({fields[1], fields[2], fields[3], fields[4], fields[5] or ""}, error_mt)
  end
  at = at + n
  return setmetatable({}, object_mark)
end

function decode()
  local c = p[at]
  at = at + 1
  if c < 0x80 then return c end
  if c < 0x90 then return read_map(c - 0x80) end
  if c < 0xa0 then return read_array(c - 0x90) end
  if c < 0xc0 then return bytes(c - 0xa0) end
  if c >= 0xe0 then return c - 256 end
  if c == 0xc0 then return nil end
  if c == 0xc2 then return false end
  if c == 0xc3 then return true end
  if c == 0xd9 or c == 0xc4 then
    local n = p[at]
    at = at + 1
    return bytes(n)
  end
  if c == 0xda or c == 0xc5 then return bytes(u16()) end
  if c == 0xdb or c == 0xc6 then return bytes(u32()) end
  if c == 0xcc then at = at + 1; return p[at - 1] end
  if c == 0xcd then return u16() end
  if c == 0xce then return u32() end
  if c == 0xcf then local high = u32(); return high * 4294967296 + u32() end
  if c == 0xd0 then at = at + 1; local v = p[at - 1]; return v < 128 and v or v - 256 end
  if c == 0xd1 then local v = u16(); return v < 32768 and v or v - 65536 end
  if c == 0xd2 then local v = u32(); return v < 2147483648 and v or v - 4294967296 end
  if c == 0xd3 then
    local high, low = u32(), u32()
    if high >= 2147483648 then high = high - 4294967296 end
    return high * 4294967296 + low
  end
  if c == 0xcb then
    for i = 0, 7 do scratch.b[7 - i] = p[at + i] end
    at = at + 8
    return scratch.d
  end
  if c == 0xca then
    for i = 0, 3 do scratch.b[3 - i] = p[at + i] end
    at = at + 4
    return scratch.f
  end
  if c == 0xdc then return read_array(u16()) end
  if c == 0xdd then return read_array(u32()) end
  if c == 0xde then return read_map(u16()) end
  if c == 0xdf then return read_map(u32()) end
  if c == 0xc7 then local n = p[at]; at = at + 1; return read_ext(n) end
  if c == 0xc8 then return read_ext(u16()) end
  if c == 0xc9 then return read_ext(u32()) end
  if c >= 0xd4 and c <= 0xd8 then return read_ext(lshift(1, c - 0xd4)) end
  error("msgpack: byte " .. c .. " is not supported")
end

--- Decode one value. Trusts its input, which comes from this runtime's own Python side.
function M.decode(s)
  local outer_p, outer_at = p, at
  p, at = cast(cu8p, s), 0
  local v = decode()
  p, at = outer_p, outer_at
  return v
end

return M
