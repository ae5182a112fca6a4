-- The string library that scripts see (spec lua-api.md §1.2, OP-24): that of LuaJIT without dump, where error objects
-- count as text, results are bounded, and no pattern can hold the VM.

local errors = require("errors")
local object = require("object")
local patterns = require("patterns")

local c_find, c_match, c_gmatch, c_gsub = string.find, string.match, string.gmatch, string.gsub
local c_rep, c_lower, c_upper, c_sub = string.rep, string.lower, string.upper, string.sub
local c_concat, byte = table.concat, string.byte
local compile, search, budget = patterns.compile, patterns.search, patterns.budget
local capture, captures = patterns.capture, patterns.captures
local type, tostring, tonumber, error, rawget = type, tostring, tonumber, error, rawget
local floor, pcall = math.floor, pcall

local LARGEST = 64 * 1024 * 1024
local PLAIN_COST = 1e9     -- bytes that a plain search may compare in C

local strings = {}

local function bad(n, name, expected, v, level)
  local got = v == nil and "nil" or object.type(v)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. expected .. " expected, got " .. got .. ")", level)
end

-- the text of an argument that is not a string: a number or an error object
local function text_of(v, n, name)
  if type(v) == "number" or (n == 1 and errors.is_error(v)) then return tostring(v) end
  bad(n, name, "string", v, 4)
end

-- Work by the byte is charged to the slice of the process, so that ten calls on megabytes are not ten reductions.
local S = require("state")
local r = S.r

local function leave(...)
  S.careful = S.careful - 1
  return ...
end
local CHARGED = 4096
local function charge(size)
  if size > CHARGED then r.n = r.n - floor(size / 1024) end
end

--- What a concatenation made, on its way to whoever asked for it (the front end puts the call there).
function r.s(v)
  if type(v) == "string" and #v > CHARGED then
    local size = #v
    if size > LARGEST then
      error("resulting string too large (" .. size .. " bytes, the limit is " .. LARGEST .. ")", 2)
    end
    charge(size)
  end
  return v
end

local function too_large(size)
  error("resulting string too large (" .. size .. " bytes, the limit is " .. LARGEST .. ")", 3)
end

local function start_of(init, size, name)
  if init == nil then return 1 end
  local at = tonumber(init)
  if not at then bad(3, name, "number", init, 4) end
  at = at < 0 and -floor(-at) or floor(at)
  if at < 0 then at = size + at + 1 end
  if at < 1 or at ~= at then return 1 end
  return at > size + 1 and size + 1 or at
end

-- the captures of the match just found, in a row; raises at the caller of the library function
local function take(from, behind, k, level)
  local value, fault = capture(k, from, behind)
  if fault then error(fault, level) end
  if k >= captures() then return value end
  return value, take(from, behind, k + 1, level + 1)
end

function strings.find(s, p, init, plain)
  if type(s) ~= "string" then s = text_of(s, 1, "find") end
  if type(p) ~= "string" then p = text_of(p, 2, "find") end
  if plain then
    if #s * #p <= PLAIN_COST then return c_find(s, p, init, true) end
    return patterns.find_plain(s, p, start_of(init, #s, "find"))
  end
  local program = compile(p)
  if #s <= program.safe then
    if init ~= nil and type(init) ~= "number" then init = start_of(init, #s, "find") end
    return c_find(s, p, init)
  end
  local at = start_of(init, #s, "find")
  if program.plain then return patterns.find_plain(s, p, at) end
  local from, behind = search(program, s, at, budget(#s))
  if not from then
    if from == false then error(behind, 2) end
    return nil
  end
  if captures() == 0 then return from, behind - 1 end
  return from, behind - 1, take(from, behind, 1, 3)
end

function strings.match(s, p, init)
  if type(s) ~= "string" then s = text_of(s, 1, "match") end
  if type(p) ~= "string" then p = text_of(p, 2, "match") end
  local program = compile(p)
  if #s <= program.safe then
    if init ~= nil and type(init) ~= "number" then init = start_of(init, #s, "match") end
    return c_match(s, p, init)
  end
  local at = start_of(init, #s, "match")
  local from, behind = search(program, s, at, budget(#s))
  if from then return take(from, behind, 1, 3) end
  if from == false then error(behind, 2) end
  return nil
end

function strings.gmatch(s, p)
  if type(s) ~= "string" then s = text_of(s, 1, "gmatch") end
  if type(p) ~= "string" then p = text_of(p, 2, "gmatch") end
  local program = compile(p, byte(p) == 94)
  if #s <= program.safe then return c_gmatch(s, p) end
  local at = 1
  return function()
    if at > #s + 1 then return nil end
    local from, behind = search(program, s, at, budget(#s))
    if not from then
      at = #s + 2
      if from == false then error(behind, 2) end
      return nil
    end
    at = behind == from and behind + 1 or behind
    return take(from, behind, 1, 3)
  end
end

-- a replacement text as a list of texts and capture numbers; a plain text stays one
local function template_of(repl)
  if not c_find(repl, "%", 1, true) then return repl end
  local parts, at = {}, 1
  while true do
    local mark = c_find(repl, "%", at, true)
    if not mark then break end
    if mark > at then parts[#parts + 1] = c_sub(repl, at, mark - 1) end
    local c = byte(repl, mark + 1)
    if c and c >= 48 and c <= 57 then parts[#parts + 1] = c - 48
    elseif c then parts[#parts + 1] = c_sub(repl, mark + 1, mark + 1)
    else parts[#parts + 1] = "\0" end     -- as C has it
    at = mark + 2
  end
  parts[#parts + 1] = c_sub(repl, at)
  return parts
end

local function fill(template, whole, from, behind)
  if type(template) == "string" then return template end
  local out = {}
  for i = 1, #template do
    local part = template[i]
    if part == 0 then
      part = whole
    elseif type(part) == "number" then
      local fault
      part, fault = capture(part, from, behind)
      if fault then error(fault, 4) end
    end
    out[i] = part
  end
  return c_concat(out)
end

local function first_capture(from, behind)
  local value, fault = capture(1, from, behind)
  if fault then error(fault, 4) end
  return value
end

-- gsub with the matcher that counts
local function substitute(s, program, repl, most)
  local kind = type(repl)
  local template = kind == "string" and template_of(repl)
  local out, n, size = {}, 0, 0
  local at, copied, count, fuel = 1, 1, 0, budget(#s)
  while count < most and at <= #s + 1 do
    local from, behind, left = search(program, s, at, fuel)
    if not from then
      if from == false then error(behind, 3) end
      break
    end
    fuel = left
    count = count + 1
    local whole = c_sub(s, from, behind - 1)
    local value
    if template then value = fill(template, whole, from, behind)
    elseif kind == "table" then value = repl[first_capture(from, behind)]
    else value = repl(take(from, behind, 1, 4)) end
    if not value then value = whole
    elseif type(value) == "number" then value = tostring(value)
    elseif type(value) ~= "string" then error("invalid replacement value (a " .. object.type(value) .. ")", 3) end
    out[n + 1], out[n + 2] = c_sub(s, copied, from - 1), value
    n = n + 2
    size = size + (from - copied) + #value
    if size > LARGEST then too_large(size) end
    copied = behind
    at = behind > from and behind or behind + 1
    if program.anchored then break end
  end
  out[n + 1] = c_sub(s, copied)
  return c_concat(out), count
end

-- A call from C back to Lua takes some 10 KB of the C stack; LuaJIT bounds the Lua stack only.
local MAX_NESTED = 100
local nested = 0

local function left(ok, text, count)
  nested = nested - 1
  if not ok then error(text, 0) end
  return text, count
end

-- gsub with a callback, which C calls; bounded in how often it may be inside of itself
local function gsub_calling(s, p, repl, most)
  if nested >= MAX_NESTED then error("stack overflow (gsub inside of its own callback, " .. MAX_NESTED .. " levels)", 3) end
  nested = nested + 1
  return left(pcall(c_gsub, s, p, repl, most))
end

function strings.gsub(s, p, repl, most)
  if type(s) ~= "string" then s = text_of(s, 1, "gsub") end
  if type(p) ~= "string" then p = text_of(p, 2, "gsub") end
  local kind = type(repl)
  if kind == "number" then repl, kind = tostring(repl), "string" end
  if kind ~= "string" and kind ~= "function" and (kind ~= "table" or object.class_of(repl)) then
    if errors.is_error(repl) then repl, kind = tostring(repl), "string"
    else bad(3, "gsub", "string/function/table", repl, 3) end
  end
  if most ~= nil and type(most) ~= "number" then
    local number = tonumber(most)
    if not number then bad(4, "gsub", "number", most, 3) end
    most = number
  end
  local program = compile(p)
  if #s <= program.safe and (kind ~= "string" or (#s + 1) * #repl <= LARGEST) then
    if kind == "string" then return c_gsub(s, p, repl, most) end
    S.careful = S.careful + 1     -- its callback must not wait: C stands below it
    return leave(gsub_calling(s, p, repl, most))
  end
  return substitute(s, program, repl, most or #s + 1)
end

function strings.len(s)
  if type(s) ~= "string" then s = text_of(s, 1, "len") end
  return #s
end

function strings.lower(s)
  if type(s) ~= "string" then s = text_of(s, 1, "lower") end
  return c_lower(s)
end

function strings.upper(s)
  if type(s) ~= "string" then s = text_of(s, 1, "upper") end
  return c_upper(s)
end

function strings.sub(s, i, j)
  if type(s) ~= "string" then s = text_of(s, 1, "sub") end
  return c_sub(s, i, j)
end

--- string.rep, with the separator of Lua 5.2, up to 64 MiB.
function strings.rep(s, n, sep)
  if type(s) ~= "string" then s = text_of(s, 1, "rep") end
  local count = tonumber(n)
  if not count then bad(2, "rep", "number", n, 3) end
  if count >= 1 then
    local size = #s * count
    if sep ~= nil then
      if type(sep) ~= "string" then sep = text_of(sep, 3, "rep") end
      size = size + #sep * (count - 1)
    end
    if size > LARGEST then too_large(size) end
    charge(size)
  end
  return c_rep(s, count, sep)
end

--- table.concat up to 64 MiB.
function strings.table_concat(t, sep, i, j)
  if type(t) == "table" and not object.class_of(t) then
    local from, to = tonumber(i or 1), tonumber(j or #t)
    if from and to then
      local size = (type(sep) == "string" and #sep or 0) * (to - from)
      for k = from, to do
        local v = rawget(t, k)
        if type(v) == "string" then size = size + #v
        elseif type(v) ~= "number" then break end     -- C raises, and names the index
      end
      if size > LARGEST then too_large(size) end
      charge(size + to - from)
    end
  end
  return c_concat(t, sep, i, j)
end

strings.byte, strings.char, strings.reverse = string.byte, string.char, string.reverse

local c_format = string.format
function strings.format(...)
  S.careful = S.careful + 1       -- %s may call a __tostring
  local text = c_format(...)
  S.careful = S.careful - 1
  return r.s(text)
end

-- err:find("x") and its like (OP-24)
local error_methods = errors.mt.__index
for _, name in ipairs({"find", "match", "gmatch", "gsub", "len", "lower", "upper", "sub"}) do
  error_methods[name] = strings[name]
end

return strings
