-- What scripts find as globals (spec lua-api.md §1.2, §1.3): shared by all processes of the VM, and not to be changed.

local S = require("state")
local object = require("object")
local errors = require("errors")
local scheduler = require("scheduler")
local coroutines = require("coroutines")
local channel = require("channel")
local message = require("message")
local strings = require("strings")
local random = require("random")

local pcall, xpcall, error, tostring, type, select = pcall, xpcall, error, tostring, type, select
local rawset, unpack, pairs = rawset, unpack, pairs
local floor, format, concat = math.floor, string.format, table.concat
local getinfo = debug.getinfo
local tinsert, tremove, tsort = table.insert, table.remove, table.sort
local frozen_name = object.frozen_name

local M = {}

-- A process that met the VM's memory bound ends: no pcall keeps it alive.
function S.out_of_memory()
  return errors.plain("Internal", "not enough memory: the process met the memory bound of its VM", nil)
end

local function memory_check(ok, raised, ...)
  if ok then return ok, raised, ... end
  local p = S.current
  if p and p.killed and not S.toplevel then scheduler.kill_current() end
  if raised == "not enough memory" then
    S.collect = true
    if p and not S.toplevel then
      p.killed = S.out_of_memory()
      p.attention = p.attention or {}
      scheduler.kill_current()
    end
    error(raised, 0)
  end
  return ok, raised, ...
end

local G = {}

function G.pcall(f, ...) return memory_check(pcall(f, ...)) end
function G.xpcall(f, handler, ...)
  if type(handler) ~= "function" then return memory_check(xpcall(f, handler, ...)) end
  return memory_check(xpcall(f, function(...)
    S.careful = S.careful + 1   -- a handler must not wait: it runs below the error
    return handler(...)
  end, ...))
end

G.assert, G.error, G.ipairs, G.next, G.pairs = assert, error, ipairs, next, pairs
G.rawequal, G.rawget, G.select, G.setmetatable, G.getmetatable = rawequal, rawget, select, setmetatable, getmetatable
G.tonumber, G.unpack, G._VERSION = tonumber, unpack, _VERSION
G.type = object.type

-- Call a C function that calls scripts back: they may not wait there.
local function leave(...)
  S.careful = S.careful - 1
  return ...
end

local function show(v)
  if type(v) == "table" then
    S.careful = S.careful + 1
    return leave(tostring(v))
  end
  if type(v) == "number" and v == floor(v) and (v >= 1e14 or v <= -1e14) and v <= 9007199254740992 and v >= -9007199254740992 then
    return format("%d", v)
  end
  return tostring(v)
end

function G.tostring(...)
  if select("#", ...) == 0 then error("bad argument #1 to 'tostring' (value expected)", 2) end
  return show((...))
end

local function writable(t, where)
  local name = frozen_name(t) or object.class_of(t)
  if name then error("attempt to change the read-only table '" .. name .. "' with " .. where, 3) end
end

function G.rawset(t, k, v)
  writable(t, "rawset")
  return rawset(t, k, v)
end

--- Join the arguments of print or io.print.
function M.join(separator, ...)
  local n = select("#", ...)
  local parts = {...}
  for i = 1, n do parts[i] = show(parts[i]) end
  return concat(parts, separator, 1, n)
end

--- The file:line of the script code that called the runtime function at `level`.
function M.location(level)
  local info = getinfo(level + 1, "Sl")
  if info and info.currentline > 0 then return info.short_src .. ":" .. info.currentline end
  return ""
end

-- what one call of a library function may walk over, since nothing preempts it
local LONGEST = 10000000

-- libraries
local function copy_of(t)
  local o = {}
  for k, v in pairs(t) do o[k] = v end
  return o
end

local tables = {
  concat = strings.table_concat,
  maxn = table.maxn,
  unpack = unpack,
  pack = function(...) return {n = select("#", ...), ...} end,
  insert = function(t, ...)
    writable(t, "table.insert")
    return tinsert(t, ...)
  end,
  remove = function(t, ...)
    writable(t, "table.remove")
    return tremove(t, ...)
  end,
  sort = function(t, ...)
    writable(t, "table.sort")
    S.careful = S.careful + 1
    return leave(tsort(t, ...))
  end,
  move = function(a, first, last, into, b)
    writable(b or a, "table.move")
    if type(first) == "number" and type(last) == "number" and last - first >= LONGEST then
      error("too many elements to move (the limit is " .. LONGEST .. ")", 2)
    end
    return table.move(a, first, last, into, b)
  end,
  foreach = nil,
}

local maths = copy_of(math)
maths.maxinteger, maths.mininteger = 9007199254740991, -9007199254740991
maths.mod = nil
function maths.type(x)
  if type(x) ~= "number" then return nil end
  return (x == floor(x) and x - x == 0) and "integer" or "float"
end
function maths.tointeger(x)
  if type(x) == "string" then x = tonumber(x) end
  if type(x) == "number" and x == floor(x) and x - x == 0 then return x end
  return nil
end
function maths.ult(a, b)
  if (a >= 0) == (b >= 0) then return a < b end
  return a >= 0
end

local function generator()
  local p = S.current
  local g = p.random
  if not g then
    g = random.new(S.seed())
    p.random = g
  end
  return g
end
function maths.random(m, n) return random.math_random(generator(), m, n) end
function maths.randomseed(seed) S.current.random = random.new(seed or 0, 0) end

local texts = copy_of(strings)
texts.table_concat = nil
debug.getmetatable("").__index = texts
debug.getmetatable("").__metatable = false

G.string = object.freeze(texts, "string")
G.table = object.freeze(tables, "table")
G.math = object.freeze(maths, "math")
G.coroutine = object.freeze(coroutines.api, "coroutine")
G.channel = object.freeze(channel.api, "channel")
G.payload = object.freeze(message.api, "payload")
G.errors = object.freeze(errors.api, "errors")
local function none(name) return object.freeze({}, "package." .. name) end
G.package = object.freeze({path = "", cpath = "", loaded = none("loaded"), preload = none("preload"), loaders = none("loaders"), config = "/\n;\n?\n!\n-\n"}, "package")

M.globals = G
return M
