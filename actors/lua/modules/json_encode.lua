-- Values to JSON (spec lua-api.md §13).

local errors = require("errors")
local object = require("object")
local new_buffer = require("string.buffer").new

local byte, format, sub = string.byte, string.format, string.sub
local type, next, tonumber, tostring, rawget = type, next, tonumber, tostring, rawget
local sort = table.sort
local getmetatable = debug.getmetatable
local error_mt = errors.mt
local class_of = object.classes

local DEEPEST = 128
local LARGEST = 64 * 1024 * 1024

-- bytes that a text cannot be copied with as they are: quotes, backslash, controls, and all that is not ASCII
local special = {}
for c = 0, 255 do special[c] = c < 32 or c == 34 or c == 92 or c >= 128 end
local ESCAPES = {[34] = '\\"', [92] = "\\\\", [8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r"}
local REPLACEMENT = "\239\191\189"

-- the length of the UTF-8 sequence at `at`, 0 when it is not one
local function sequence(text, at, c)
  local a, b, d = byte(text, at + 1, at + 3)
  if not a or a < 128 or a > 191 then return 0 end
  if c >= 194 and c <= 223 then return 2 end
  if not b or b < 128 or b > 191 then return 0 end
  if c >= 224 and c <= 239 then
    if c == 224 and a < 160 or c == 237 and a > 159 then return 0 end
    return 3
  end
  if c < 240 or c > 244 or not d or d < 128 or d > 191 then return 0 end
  if c == 240 and a < 144 or c == 244 and a > 143 then return 0 end
  return 4
end

local function put_escaped(out, text, at)
  local from = 1
  local size = #text
  while at <= size do
    local c = byte(text, at)
    if c >= 128 then
      local length = sequence(text, at, c)
      if length == 0 then
        out:put(sub(text, from, at - 1), REPLACEMENT)
        at = at + 1
        from = at
      else
        at = at + length
      end
    elseif special[c] then
      out:put(sub(text, from, at - 1), ESCAPES[c] or format("\\u%04x", c))
      at = at + 1
      from = at
    else
      at = at + 1
    end
  end
  out:put(sub(text, from))
end

local function put_text(out, text)
  out:put('"')
  for at = 1, #text do
    if special[byte(text, at)] then
      put_escaped(out, text, at)
      out:put('"')
      return
    end
  end
  out:put(text, '"')
end

local function put_number(out, n)
  if n % 1 == 0 and n > -1e21 and n < 1e21 then
    if n > -1e14 and n < 1e14 then out:put(n == 0 and 0 or n) else out:put(format("%.0f", n)) end
  elseif n ~= n or n - n ~= 0 then
    out:put("null")
  else
    local text = format("%.14g", n)
    if tonumber(text) ~= n then
      text = format("%.16g", n)
      if tonumber(text) ~= n then text = format("%.17g", n) end
    end
    out:put(text)
  end
end

-- the keys of an object in order; small ones are sorted here, which the compiler likes
local function sorted(keys, n)
  if n > 24 then
    sort(keys)
    return
  end
  for i = 2, n do
    local key, j = keys[i], i - 1
    while j >= 1 and keys[j] > key do
      keys[j + 1] = keys[j]
      j = j - 1
    end
    keys[j + 1] = key
  end
end

-- `path` holds the tables on the way down, to tell a cycle from mere depth. Each returns nil, or what is wrong.
local put

local function put_array(out, t, n, path, depth)
  out:put("[")
  for i = 1, n do
    if i > 1 then out:put(",") end
    local v = rawget(t, i)
    local kind = type(v)
    if kind == "string" then put_text(out, v)
    elseif kind == "number" then put_number(out, v)
    else
      local fault = put(out, v, path, depth)
      if fault then return fault end
    end
  end
  out:put("]")
end

local function put_object(out, t, path, depth)
  local keys, n = {}, 0
  for key in next, t do
    if type(key) ~= "string" then
      return "a table with mixed keys, gaps or keys that are neither texts nor 1..n cannot be encoded"
    end
    n = n + 1
    keys[n] = key
  end
  sorted(keys, n)
  out:put("{")
  for i = 1, n do
    local key = keys[i]
    if i > 1 then out:put(",") end
    put_text(out, key)
    out:put(":")
    local v = rawget(t, key)
    local kind = type(v)
    if kind == "string" then put_text(out, v)
    elseif kind == "number" then put_number(out, v)
    else
      local fault = put(out, v, path, depth)
      if fault then return fault end
    end
  end
  out:put("}")
end

local function put_table(out, t, path, depth)
  if depth > DEEPEST then
    for i = 1, depth - 1 do
      if path[i] == t then return "a table that contains itself cannot be encoded" end
    end
    return "tables nested deeper than " .. DEEPEST .. " cannot be encoded"
  end
  if #out > LARGEST then return "the text would be larger than " .. LARGEST .. " bytes" end
  path[depth] = t
  local n = #t
  if n == 0 then
    if next(t) ~= nil then return put_object(out, t, path, depth) end
    out:put(getmetatable(t) == path.mark and "{}" or "[]")
    return nil
  end
  local count = 0
  for key in next, t do
    if type(key) ~= "number" then return put_object(out, t, path, depth) end
    count = count + 1
    if key < 1 or key > n or key % 1 ~= 0 then return put_object(out, t, path, depth) end
  end
  if count ~= n then return "an array with gaps cannot be encoded" end
  return put_array(out, t, n, path, depth)
end

function put(out, v, path, depth)
  local kind = type(v)
  if kind == "table" then
    local mt = getmetatable(v)
    if mt and mt ~= path.mark and class_of[mt] then
      if mt == error_mt then put_text(out, tostring(rawget(v, 1))) else out:put("null") end
      return nil
    end
    return put_table(out, v, path, depth + 1)
  elseif kind == "string" then put_text(out, v)
  elseif kind == "number" then put_number(out, v)
  elseif kind == "boolean" then out:put(v and "true" or "false")
  else out:put("null") end
end

--- Encode a value: text, or nil and what is wrong. `mark` is the metatable of empty objects.
return function(v, mark)
  local out = new_buffer()
  local fault = put(out, v, {mark = mark}, 0)
  if fault then return nil, fault end
  return out:tostring()
end
