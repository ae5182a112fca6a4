-- JSON to values (spec lua-api.md §13). Reads the bytes in loops that LuaJIT compiles.

local byte, char, match, sub, gsub = string.byte, string.char, string.match, string.sub, string.gsub
local concat = table.concat
local floor, setmetatable, tonumber, next = math.floor, setmetatable, tonumber, next

local DEEPEST = 128
local ESCAPES = {
  [34] = '"', [92] = "\\", [47] = "/", [98] = "\b", [102] = "\f", [110] = "\n", [114] = "\r", [116] = "\t",
}

-- the document under way; nothing in here calls scripts, so there is one at a time
local text, mark = "", nil
local fault, fault_at

local function fail(message, at)
  fault, fault_at = message, at
  return nil, nil
end

local function blank(at)
  while true do
    local c = byte(text, at)
    if c ~= 32 and c ~= 10 and c ~= 13 and c ~= 9 then return at, c end
    at = at + 1
  end
end

local function utf8(code)
  if code < 128 then return char(code) end
  if code < 2048 then return char(192 + floor(code / 64), 128 + code % 64) end
  if code < 65536 then return char(224 + floor(code / 4096), 128 + floor(code / 64) % 64, 128 + code % 64) end
  return char(240 + floor(code / 262144), 128 + floor(code / 4096) % 64, 128 + floor(code / 64) % 64, 128 + code % 64)
end

-- \uXXXX at the backslash, surrogate pairs joined, lone halves replaced
local function unicode(at)
  local hex = match(text, "^%x%x%x%x", at + 2)
  if not hex then return fail("invalid \\u escape", at) end
  local code = tonumber(hex, 16)
  at = at + 6
  if code >= 0xD800 and code < 0xE000 then
    local low = code < 0xDC00 and match(text, "^\\u([dD][c-fC-F]%x%x)", at)
    if not low then return "\239\191\189", at end
    return utf8(0x10000 + (code - 0xD800) * 1024 + tonumber(low, 16) - 0xDC00), at + 6
  end
  return utf8(code), at
end

-- a text with escapes, from the first backslash
local function escaped_text(from, at)
  local parts, n = {sub(text, from, at - 1)}, 1
  while true do
    local c = byte(text, at)
    if c == 34 then
      parts[n + 1] = sub(text, from, at - 1)
      return concat(parts), at + 1
    elseif c == 92 then
      if at > from and n > 1 then
        n = n + 1
        parts[n] = sub(text, from, at - 1)
      end
      local e = byte(text, at + 1)
      local plain = ESCAPES[e]
      if plain then
        at = at + 2
      elseif e == 117 then
        plain, at = unicode(at)
        if not plain then return nil, nil end
      else
        return fail("invalid escape", at)
      end
      n = n + 1
      parts[n] = plain
      from = at
    elseif not c then
      return fail("unfinished text", at)
    elseif c < 32 then
      return fail("control character in a text", at)
    else
      at = at + 1
    end
  end
end

-- the text whose opening quote is before `from`
local function read_text(from)
  local at = from
  while true do
    local c = byte(text, at)
    if c == 34 then return sub(text, from, at - 1), at + 1 end
    if c == 92 then return escaped_text(from, at) end
    if not c then return fail("unfinished text", at) end
    if c < 32 then return fail("control character in a text", at) end
    at = at + 1
  end
end

local function read_number(at, c)
  local from, negative = at, c == 45
  if negative then
    at = at + 1
    c = byte(text, at)
  end
  local value, first = 0, at
  while c and c >= 48 and c <= 57 do
    value = value * 10 + (c - 48)
    at = at + 1
    c = byte(text, at)
  end
  local digits = at - first
  if digits == 0 then return fail("invalid number", from) end
  if digits > 1 and byte(text, first) == 48 then return fail("invalid number: leading zero", from) end
  if c ~= 46 and c ~= 101 and c ~= 69 then
    if digits <= 15 then return negative and -value or value, at end
  else
    if c == 46 then
      local stop = match(text, "^%.%d+()", at)
      if not stop then return fail("invalid number", from) end
      at = stop
      c = byte(text, at)
    end
    if c == 101 or c == 69 then
      local stop = match(text, "^[eE][+-]?%d+()", at)
      if not stop then return fail("invalid number", from) end
      at = stop
    end
  end
  value = tonumber(sub(text, from, at - 1))
  if value - value ~= 0 then return fail("number out of range", from) end
  return value, at
end

local function literal(at, c)
  if c == 116 and sub(text, at, at + 3) == "true" then return true, at + 4 end
  if c == 102 and sub(text, at, at + 4) == "false" then return false, at + 5 end
  if c == 110 and sub(text, at, at + 3) == "null" then return nil, at + 4 end
  if not c then return fail("unexpected end of the text", at) end
  return fail("unexpected character", at)
end

local read

local function read_array(at, depth)
  if depth > DEEPEST then return fail("nested deeper than " .. DEEPEST, at) end
  local list, n = {}, 0
  local c
  at, c = blank(at)
  if c == 93 then return list, at + 1 end
  while true do
    local v, behind = read(at, c, depth)
    if not behind then return nil, nil end
    n = n + 1
    list[n] = v
    at, c = blank(behind)
    if c == 44 then at, c = blank(at + 1)
    elseif c == 93 then return list, at + 1
    else return fail("expected ',' or ']'", at) end
  end
end

local function read_object(at, depth)
  if depth > DEEPEST then return fail("nested deeper than " .. DEEPEST, at) end
  local map = {}
  local c
  at, c = blank(at)
  if c == 125 then return setmetatable(map, mark), at + 1 end
  while true do
    if c ~= 34 then return fail("expected a key in quotes", at) end
    local key, behind = read_text(at + 1)
    if not behind then return nil, nil end
    at, c = blank(behind)
    if c ~= 58 then return fail("expected ':'", at) end
    at, c = blank(at + 1)
    local v
    v, behind = read(at, c, depth)
    if not behind then return nil, nil end
    map[key] = v
    at, c = blank(behind)
    if c == 44 then at, c = blank(at + 1)
    elseif c == 125 then
      if next(map) == nil then setmetatable(map, mark) end
      return map, at + 1
    else return fail("expected ',' or '}'", at) end
  end
end

-- the value that begins with byte `c` at `at`, and the position behind it; nil, nil on a fault
function read(at, c, depth)
  if c == 34 then return read_text(at + 1) end
  if c == 123 then return read_object(at + 1, depth + 1) end
  if c == 91 then return read_array(at + 1, depth + 1) end
  if c == 45 or c and c >= 48 and c <= 57 then return read_number(at, c) end
  return literal(at, c)
end

-- line and column of a position, for people
local function place(at)
  local before = sub(text, 1, at - 1)
  local _, lines = gsub(before, "\n", "")
  return "line " .. (lines + 1) .. ", column " .. (#match(before, "[^\n]*$") + 1)
end

--- Decode a document: true and its value, or false and what is wrong and where.
return function(document, object_mark)
  text, mark, fault = document, object_mark, nil
  local at, c = blank(1)
  local value, behind = read(at, c, 0)
  if behind then
    at, c = blank(behind)
    if c then fail("text after the value", at) end
  end
  local message = fault and fault .. " at " .. place(fault_at)
  text, fault = "", nil
  if message then return false, message end
  return true, value
end
