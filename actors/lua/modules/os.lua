-- The global `os` (spec lua-api.md §27): time and date on the clock of the runtime.

local calendar = require("modules.time_calendar")
local location = require("modules.time_location")
local object = require("object")

local floor = math.floor
local type, error, tonumber = type, error, tonumber
local format, gsub, sub = string.format, string.gsub, string.sub

local function bad(n, name, expected, v)
  local got = v == nil and "nil" or object.type(v)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. expected .. " expected, got " .. got .. ")", 3)
end

local LONGEST = 65536      -- bytes of a format; writing it is a loop that nothing interrupts

local function finite(v) return v and v - v == 0 and v or nil end

local CODES
CODES = {
  a = function(t) return sub(calendar.WEEKDAYS[t.wday - 1], 1, 3) end,
  A = function(t) return calendar.WEEKDAYS[t.wday - 1] end,
  b = function(t) return sub(calendar.MONTHS[t.month], 1, 3) end,
  B = function(t) return calendar.MONTHS[t.month] end,
  c = function(t)
    return CODES.a(t) .. " " .. CODES.b(t) .. format(" %2d ", t.day) .. CODES.X(t) .. " " .. CODES.Y(t)
  end,
  d = function(t) return format("%02d", t.day) end,
  H = function(t) return format("%02d", t.hour) end,
  I = function(t) return format("%02d", t.hour % 12 == 0 and 12 or t.hour % 12) end,
  j = function(t) return format("%03d", t.yday) end,
  m = function(t) return format("%02d", t.month) end,
  M = function(t) return format("%02d", t.min) end,
  p = function(t) return t.hour < 12 and "AM" or "PM" end,
  S = function(t) return format("%02d", t.sec) end,
  U = function(t)
    local _, week = calendar.iso_week(calendar.day_number(t.year, t.month, t.day))
    return format("%02d", week)
  end,
  w = function(t) return format("%d", t.wday - 1) end,
  x = function(t) return CODES.m(t) .. "/" .. CODES.d(t) .. "/" .. CODES.y(t) end,
  X = function(t) return CODES.H(t) .. ":" .. CODES.M(t) .. ":" .. CODES.S(t) end,
  y = function(t) return format("%02d", t.year % 100) end,
  Y = function(t) return format("%d", t.year) end,
  z = function(_, offset)
    local minutes = floor((offset < 0 and -offset or offset) / 60)
    return (offset < 0 and "-" or "+") .. format("%02d%02d", floor(minutes / 60), minutes % 60)
  end,
  Z = function(_, _, zone) return zone end,
  ["%"] = function() return "%" end,
}
CODES.W = CODES.U        -- both give the ISO week

return function(rt)
  local zones = location.zones(rt)
  local os = {platform = "wippy"}

  local function told(sec, zone)
    local offset, name, dst = zones.lookup(zone, sec)
    local here = sec + offset
    local number = floor(here / 86400)
    local rest = here - number * 86400
    local year, month, day, yday = calendar.date_of(number)
    return {
      year = year, month = month, day = day, yday = yday, wday = calendar.weekday(number) + 1, isdst = dst,
      hour = floor(rest / 3600), min = floor(rest / 60) % 60, sec = rest % 60,
    }, offset, name
  end

  function os.time(t)
    if t == nil then return floor(rt.wall()) end
    if type(t) ~= "table" or object.class_of(t) then bad(1, "time", "table", t) end
    local today = told(floor(rt.wall()), zones.here)
    local function field(name, default)
      local v = t[name]
      if v == nil then return default end
      local number = finite(tonumber(v))
      if not number then error("field '" .. name .. "' of the date table must be a number", 3) end
      return floor(number)
    end
    local number = calendar.day_number(
      field("year", today.year), field("month", today.month), field("day", today.day)
    )
    return zones.to_unix(
      zones.here, number * 86400 + field("hour", 0) * 3600 + field("min", 0) * 60 + field("sec", 0)
    )
  end

  function os.date(fmt, t)
    if fmt == nil then fmt = "%c" elseif type(fmt) ~= "string" then bad(1, "date", "string", fmt) end
    if #fmt > LONGEST then error("format longer than " .. LONGEST .. " bytes", 2) end
    local sec = t == nil and rt.wall() or finite(type(t) ~= "table" and tonumber(t))
    if not sec then bad(2, "date", "number", t) end
    local zone = zones.here
    if sub(fmt, 1, 1) == "!" then zone, fmt = zones.utc, sub(fmt, 2) end
    local f, offset, name = told(floor(sec), zone)
    if sub(fmt, 1, 2) == "*t" then return f end
    return (gsub(fmt, "%%(.)", function(code)
      local write = CODES[code]
      return write and write(f, offset, name)
    end))
  end

  function os.clock() return rt.monotonic() end

  function os.difftime(a, b)
    if type(a) ~= "number" then bad(1, "difftime", "number", a) end
    if b ~= nil and type(b) ~= "number" then bad(2, "difftime", "number", b) end
    return a - (b or 0)
  end

  return os
end
