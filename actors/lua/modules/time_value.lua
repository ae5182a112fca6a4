-- Time values: an instant (Unix seconds and nanoseconds, apart and exact) with the zone in which its fields are told.

local ffi = require("ffi")
local calendar = require("modules.time_calendar")
local duration = require("modules.time_duration")
local layout = require("modules.time_layout")
local location = require("modules.time_location")
local object = require("object")

local floor = math.floor
local rawget, setmetatable, error, type, tonumber = rawget, setmetatable, error, type, tonumber

local ZERO = -62135596800           -- Unix second of year 1, from which rounding counts
local uint64 = ffi.typeof("uint64_t")

local function bad(n, name, expected, v, level)
  local got = v == nil and "nil" or object.type(v)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. expected .. " expected, got " .. got .. ")", level or 3)
end

--- The class of Time values over the zones of a VM: {make, is, fields, date}.
return function(zones)
  local value = {}
  local methods = {}
  local mt

  -- fields: [1] Unix seconds, [2] nanoseconds 0 .. 999999999, [3] Location
  local function make(sec, nsec, loc)
    if nsec < 0 or nsec >= 1000000000 then
      local carry = floor(nsec / 1000000000)
      sec, nsec = sec + carry, nsec - carry * 1000000000
    end
    return setmetatable({sec, nsec, loc}, mt)
  end

  local function parts(self, name)
    if not object.is(self, mt) then bad(1, name, "Time", self, 4) end
    return rawget(self, 1), rawget(self, 2), rawget(self, 3)
  end

  local function other(v, name)
    if not object.is(v, mt) then bad(1, name, "Time", v, 4) end
    return rawget(v, 1), rawget(v, 2)
  end

  -- day number, second of the day, offset and zone as the Time tells them
  local function told(self, name)
    local sec, _, loc = parts(self, name)
    local offset, zone = zones.lookup(loc, sec)
    local here = sec + offset
    local day = floor(here / 86400)
    return day, here - day * 86400, offset, zone
  end

  local function fields(self)
    local sec, nsec, loc = rawget(self, 1), rawget(self, 2), rawget(self, 3)
    local offset, zone, dst = zones.lookup(loc, sec)
    local here = sec + offset
    local number = floor(here / 86400)
    local rest = here - number * 86400
    local year, month, day, year_day = calendar.date_of(number)
    return {
      year = year, month = month, day = day, year_day = year_day, weekday = calendar.weekday(number), number = number,
      hour = floor(rest / 3600), minute = floor(rest / 60) % 60, second = rest % 60, nsec = nsec,
      offset = offset, zone = zone, dst = dst,
    }
  end

  --- The Time of a date in a zone; every number may be outside its range and rolls over.
  function value.date(year, month, day, hour, minute, second, nsec, loc)
    local carry = floor(nsec / 1000000000)
    local seconds = calendar.day_number(year, month, day) * 86400 + hour * 3600 + minute * 60 + second + carry
    return make(zones.to_unix(loc, seconds), nsec - carry * 1000000000, loc)
  end

  function methods:add(d)
    local sec, nsec, loc = parts(self, "add")
    local more, more_nsec = duration.read(d)
    if not more then error(more_nsec, 2) end
    return make(sec + more, nsec + more_nsec, loc)
  end

  function methods:sub(t)
    local sec, nsec = parts(self, "sub")
    local from, from_nsec = other(t, "sub")
    return duration.make(sec - from, nsec - from_nsec)
  end

  function methods:add_date(years, months, days)
    local _, nsec, loc = parts(self, "add_date")
    if type(years) ~= "number" then bad(1, "add_date", "number", years) end
    if type(months) ~= "number" then bad(2, "add_date", "number", months) end
    if type(days) ~= "number" then bad(3, "add_date", "number", days) end
    local f = fields(self)
    return value.date(
      f.year + floor(years), f.month + floor(months), f.day + floor(days), f.hour, f.minute, f.second, nsec, loc
    )
  end

  function methods:before(t)
    local sec, nsec = parts(self, "before")
    local at, at_nsec = other(t, "before")
    return sec < at or sec == at and nsec < at_nsec
  end
  function methods:after(t)
    local sec, nsec = parts(self, "after")
    local at, at_nsec = other(t, "after")
    return sec > at or sec == at and nsec > at_nsec
  end
  function methods:equal(t)
    local sec, nsec = parts(self, "equal")
    local at, at_nsec = other(t, "equal")
    return sec == at and nsec == at_nsec
  end

  function methods:format(text)
    parts(self, "format")
    if type(text) ~= "string" then bad(1, "format", "string", text) end
    if #text > layout.LONGEST then error("layout longer than " .. layout.LONGEST .. " bytes", 2) end
    return layout.format(text, fields(self))
  end
  function methods:format_rfc3339()
    parts(self, "format_rfc3339")
    return layout.format(layout.NAMES.RFC3339, fields(self))
  end

  function methods:unix() return (parts(self, "unix")) end
  function methods:unix_nano()
    local sec, nsec = parts(self, "unix_nano")
    return sec * 1000000000 + nsec
  end

  function methods:date()
    local year, month, day = calendar.date_of((told(self, "date")))
    return year, month, day
  end
  function methods:clock()
    local _, rest = told(self, "clock")
    return floor(rest / 3600), floor(rest / 60) % 60, rest % 60
  end
  function methods:year() return (calendar.date_of((told(self, "year")))) end
  function methods:month()
    local _, month = calendar.date_of((told(self, "month")))
    return month
  end
  function methods:day()
    local _, _, day = calendar.date_of((told(self, "day")))
    return day
  end
  function methods:year_day()
    local _, _, _, day = calendar.date_of((told(self, "year_day")))
    return day
  end
  function methods:weekday() return calendar.weekday((told(self, "weekday"))) end
  function methods:hour()
    local _, rest = told(self, "hour")
    return floor(rest / 3600)
  end
  function methods:minute()
    local _, rest = told(self, "minute")
    return floor(rest / 60) % 60
  end
  function methods:second()
    local _, rest = told(self, "second")
    return rest % 60
  end
  function methods:nanosecond()
    local _, nsec = parts(self, "nanosecond")
    return nsec
  end

  function methods:is_zero()
    local sec, nsec = parts(self, "is_zero")
    return sec == ZERO and nsec == 0
  end
  function methods:utc()
    local sec, nsec = parts(self, "utc")
    return make(sec, nsec, zones.utc)
  end
  function methods:in_local()
    local sec, nsec = parts(self, "in_local")
    return make(sec, nsec, zones.here)
  end
  function methods:in_location(loc)
    local sec, nsec = parts(self, "in_location")
    if not location.is(loc) then bad(1, "in_location", "Location", loc) end
    return make(sec, nsec, loc)
  end
  function methods:location()
    local _, _, loc = parts(self, "location")
    return loc
  end

  -- what is left of the time since year 1 when whole durations are taken off, as (seconds, nanoseconds)
  local function remainder(sec, nsec, d_sec, d_nsec)
    local since = sec - ZERO
    if d_nsec == 0 then return since % d_sec, nsec end
    if d_sec == 0 and 1000000000 % d_nsec == 0 then return 0, nsec % d_nsec end
    -- (since * 1e9 + nsec) mod d in 64 bits: 1e9 is multiplied in bit by bit
    local d = uint64(d_sec) * 1000000000 + d_nsec
    local negative = since < 0
    local term, sum, factor = uint64(negative and -since or since) % d, uint64(0), 1000000000
    while factor > 0 do
      if factor % 2 == 1 then sum = (sum + term) % d end
      term, factor = (term + term) % d, floor(factor / 2)
    end
    if negative then sum = (d - sum) % d end
    sum = (sum + uint64(nsec) % d) % d
    return tonumber(sum / 1000000000), tonumber(sum % 1000000000)
  end

  local function step(self, d, name)
    local sec, nsec, loc = parts(self, name)
    if not duration.is(d) then bad(1, name, "Duration", d, 4) end
    local d_sec, d_nsec = duration.read(d)
    if d_sec < 0 or d_sec == 0 and d_nsec == 0 then return sec, nsec, loc end
    local r_sec, r_nsec = remainder(sec, nsec, d_sec, d_nsec)
    return sec - r_sec, nsec - r_nsec, loc, r_sec, r_nsec, d_sec, d_nsec
  end

  function methods:truncate(d)
    local sec, nsec, loc = step(self, d, "truncate")
    return make(sec, nsec, loc)
  end

  function methods:round(d)
    local sec, nsec, loc, r_sec, r_nsec, d_sec, d_nsec = step(self, d, "round")
    if r_sec then
      local twice_sec, twice_nsec = r_sec * 2, r_nsec * 2
      if twice_nsec >= 1000000000 then twice_sec, twice_nsec = twice_sec + 1, twice_nsec - 1000000000 end
      if twice_sec > d_sec or twice_sec == d_sec and twice_nsec >= d_nsec then sec, nsec = sec + d_sec, nsec + d_nsec end
    end
    return make(sec, nsec, loc)
  end

  mt = object.class("Time", methods, {
    __tostring = function(self) return layout.format("2006-01-02 15:04:05.999999999 -0700 MST", fields(self)) end,
    __eq = function(a, b) return rawget(a, 1) == rawget(b, 1) and rawget(a, 2) == rawget(b, 2) end,
    __lt = function(a, b)
      local x, y = rawget(a, 1), rawget(b, 1)
      return x < y or x == y and rawget(a, 2) < rawget(b, 2)
    end,
    __le = function(a, b)
      local x, y = rawget(a, 1), rawget(b, 1)
      return x < y or x == y and rawget(a, 2) <= rawget(b, 2)
    end,
  })

  value.make = make
  value.fields = fields
  function value.is(v) return object.is(v, mt) end
  return value
end
