-- The module `time` (spec lua-api.md §8): sleeping, timers, and Time, Duration and Location values with Go's layouts.

local duration = require("modules.time_duration")
local errors = require("errors")
local layout = require("modules.time_layout")
local location = require("modules.time_location")
local make_values = require("modules.time_value")
local object = require("object")
local parse = require("modules.time_parse")

local floor = math.floor
local type, error, rawget, setmetatable, tostring, tonumber = type, error, rawget, setmetatable, tostring, tonumber
local read = duration.read

local function bad(n, name, expected, v)
  local got = v == nil and "nil" or object.type(v)
  error("bad argument #" .. n .. " to '" .. name .. "' (" .. expected .. " expected, got " .. got .. ")", 3)
end

local function whole(v, n, name)
  if type(v) ~= "number" or v ~= v or v - v ~= 0 then
    local got = type(v) == "number" and tostring(v) or v == nil and "nil" or object.type(v)
    error("bad argument #" .. n .. " to '" .. name .. "' (number expected, got " .. got .. ")", 3)
  end
  return floor(v)
end

-- seconds of a duration that must be more than nothing, or nil and what is wrong
local function positive(d)
  local sec, nsec = read(d)
  if not sec then return nil, nsec end
  if sec < 0 or sec == 0 and nsec == 0 then return nil, "duration must be positive" end
  return sec + nsec / 1000000000
end

local function add_timers(rt, time, now)
  local offer, close, call_later, cancel_timer = rt.offer, rt.close, rt.call_later, rt.cancel_timer

  -- Timer and Ticker objects hold one function [1] of (command, argument); what it knows no script can reach.
  local function class(name, commands)
    local methods, mt = {}, nil
    for command, check in pairs(commands) do
      methods[command] = function(self, argument)
        if not object.is(self, mt) then bad(1, command, name, self) end
        if check then argument = check(argument) end
        return rawget(self, 1)(command, argument)
      end
    end
    methods.channel = methods.response
    mt = object.class(name, methods)
    return mt
  end

  local function delay(d)
    local seconds, fault = positive(d)
    if not seconds then error(fault, 3) end
    return seconds
  end
  local timer_mt = class("Timer", {response = false, stop = false, reset = delay})
  local ticker_mt = class("Ticker", {response = false, stop = false})

  function time.after(d)
    local seconds, fault = positive(d)
    if not seconds then return rt.invalid("time.after: " .. fault) end
    local ch = rt.channel(1)
    call_later(seconds, function()
      offer(ch, now())
      close(ch)
    end)
    return ch
  end

  function time.timer(d)
    local seconds, fault = positive(d)
    if not seconds then return rt.invalid("time.timer: " .. fault) end
    local ch, handle = rt.channel(1), nil
    local function fire()
      handle = nil
      offer(ch, now())
      close(ch)
    end
    handle = call_later(seconds, fire)
    return setmetatable({function(command, again)
      if command == "response" then return ch end
      if not handle then return false end
      cancel_timer(handle)
      handle = nil
      if command == "stop" then close(ch) else handle = call_later(again, fire) end
      return true
    end}, timer_mt)
  end

  function time.ticker(d)
    local seconds, fault = positive(d)
    if not seconds then return rt.invalid("time.ticker: " .. fault) end
    local ch, handle = rt.channel(16), nil
    local due = rt.monotonic() + seconds
    local function tick()
      offer(ch, now())                       -- a full channel drops the tick
      local present = rt.monotonic()
      due = due + seconds
      if due <= present then due = due + floor((present - due) / seconds + 1) * seconds end
      handle = call_later(due > present and due - present or seconds, tick)
    end
    handle = call_later(seconds, tick)
    return setmetatable({function(command)
      if command == "response" then return ch end
      if handle then
        cancel_timer(handle)
        handle = nil
        close(ch)
      end
      return true
    end}, ticker_mt)
  end
end

local function add_constants(time)
  time.NANOSECOND, time.MICROSECOND, time.MILLISECOND = 1, 1000, 1000000
  time.SECOND, time.MINUTE, time.HOUR = 1000000000, 60000000000, 3600000000000
  local calendar = require("modules.time_calendar")
  for i, name in ipairs(calendar.MONTHS) do time[name:upper()] = i end
  for i = 0, 6 do time[calendar.WEEKDAYS[i]:upper()] = i end
  for name, text in pairs(layout.NAMES) do time[name] = text end
end

return function(rt)
  local zones = location.zones(rt)
  local value = make_values(zones)
  local time = {utc = zones.utc, localtz = zones.here}

  local function now()
    local sec, nsec = rt.wall_parts()
    return value.make(sec, nsec, zones.here)
  end
  time.now = now

  function time.sleep(d)
    local sec, nsec = read(d)
    if not sec then return rt.invalid("time.sleep: " .. nsec) end
    if sec > 0 or sec == 0 and nsec > 0 then rt.sleep(sec + nsec / 1000000000) end
  end

  function time.date(year, month, day, hour, minute, second, nsec, loc)
    if loc ~= nil and not location.is(loc) then bad(8, "date", "Location", loc) end
    return value.date(
      whole(year, 1, "date"), whole(month, 2, "date"), whole(day, 3, "date"), whole(hour, 4, "date"),
      whole(minute, 5, "date"), whole(second, 6, "date"), whole(nsec, 7, "date"), loc or zones.here
    )
  end

  function time.unix(sec, nsec)
    return value.make(whole(sec, 1, "unix"), nsec == nil and 0 or whole(nsec, 2, "unix"), zones.here)
  end

  function time.parse(layout_text, text, loc)
    if type(layout_text) ~= "string" then bad(1, "parse", "string", layout_text) end
    if type(text) ~= "string" then bad(2, "parse", "string", text) end
    if loc ~= nil and not location.is(loc) then bad(3, "parse", "Location", loc) end
    if #layout_text > layout.LONGEST then
      return rt.invalid("time.parse: layout longer than " .. layout.LONGEST .. " bytes")
    end
    loc = loc or zones.here
    local f, fault = parse(layout_text, text)
    if not f then return rt.invalid(fault) end
    local function dated(zone)
      return value.date(f.year, f.month, f.day, f.hour, f.minute, f.second, f.nsec, zone)
    end
    if f.utc then return dated(zones.utc) end
    if not f.offset and not f.zone then return dated(loc) end
    local sec = rawget(dated(zones.utc), 1)
    if f.offset then
      sec = sec - f.offset
      local offset, name = zones.lookup(loc, sec)
      if offset == f.offset and (not f.zone or name == f.zone) then return value.make(sec, f.nsec, loc) end
      return value.make(sec, f.nsec, location.fixed(f.zone or "", f.offset))
    end
    local offset = zones.offset_of(loc, f.zone, sec)
    if offset then return value.make(sec - offset, f.nsec, loc) end
    local hours = f.zone:match("^GMT([+-]%d+)$")
    return value.make(sec, f.nsec, location.fixed(f.zone, (tonumber(hours) or 0) * 3600))
  end

  function time.parse_duration(v)
    local sec, nsec = read(v)
    if not sec then return rt.invalid(nsec) end
    return duration.make(sec, nsec)
  end

  function time.load_location(name)
    if type(name) ~= "string" then bad(1, "load_location", "string", name) end
    if name == "" then return rt.invalid("time.load_location: the name of a location is required") end
    local loc, kind, message = zones.load(name)
    if not loc then return nil, errors.make(kind, message) end
    return loc
  end

  function time.fixed_zone(name, offset)
    if type(name) ~= "string" then bad(1, "fixed_zone", "string", name) end
    return location.fixed(name, whole(offset, 2, "fixed_zone"))
  end

  add_timers(rt, time, now)
  add_constants(time)
  return time
end
