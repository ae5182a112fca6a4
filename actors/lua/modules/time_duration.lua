-- Durations: whole seconds and nanoseconds kept apart, since 2^53 ns are only 104 days. The texts are those of Go.

local object = require("object")

local floor, abs = math.floor, math.abs
local type, setmetatable, error, tonumber, rawget = type, setmetatable, error, tonumber, rawget
local find, match, sub, format, rep, gsub = string.find, string.match, string.sub, string.format, string.rep, string.gsub

local LARGEST = 9223372036          -- seconds: a Duration of Go is a signed 64-bit count of nanoseconds
local LARGEST_NSEC = 854775807

local duration = {}
local methods = {}
local mt

-- fields: [1] seconds (whole, floor), [2] nanoseconds 0 .. 999999999
local function make(sec, nsec) return setmetatable({sec, nsec}, mt) end

local function parts(self, name)
  if not object.is(self, mt) then
    error("bad argument #1 to '" .. name .. "' (Duration expected, got " .. object.type(self) .. ")", 3)
  end
  return rawget(self, 1), rawget(self, 2)
end

-- whole units of `size` nanoseconds, cut toward zero
local function units(self, name, per_second)
  local sec, nsec = parts(self, name)
  local negative = sec < 0
  if negative then
    sec, nsec = -sec, -nsec
    if nsec < 0 then sec, nsec = sec - 1, nsec + 1000000000 end
  end
  local count = sec * per_second + floor(nsec / (1000000000 / per_second))
  return negative and count ~= 0 and -count or count
end

function methods:hours()
  local sec, nsec = parts(self, "hours")
  return (sec + nsec / 1000000000) / 3600
end
function methods:minutes()
  local sec, nsec = parts(self, "minutes")
  return (sec + nsec / 1000000000) / 60
end
function methods:seconds()
  local sec, nsec = parts(self, "seconds")
  return sec + nsec / 1000000000
end
function methods:milliseconds() return units(self, "milliseconds", 1000) end
function methods:microseconds() return units(self, "microseconds", 1000000) end
function methods:nanoseconds() return units(self, "nanoseconds", 1000000000) end

-- a whole and its nine-digit (or shorter) fraction without trailing zeros
local function fraction(whole, rest, digits)
  if rest == 0 then return format("%d", whole) end
  return format("%d.", whole) .. gsub(format("%0" .. digits .. "d", rest), "0+$", "")
end

local function text_of(self)
  local sec, nsec = rawget(self, 1), rawget(self, 2)
  if sec == 0 and nsec == 0 then return "0s" end
  local sign = ""
  if sec < 0 then
    sign, sec, nsec = "-", -sec, -nsec
    if nsec < 0 then sec, nsec = sec - 1, nsec + 1000000000 end
  end
  if sec == 0 then
    if nsec < 1000 then return sign .. format("%dns", nsec) end
    if nsec < 1000000 then return sign .. fraction(floor(nsec / 1000), nsec % 1000, 3) .. "µs" end
    return sign .. fraction(floor(nsec / 1000000), nsec % 1000000, 6) .. "ms"
  end
  local text = fraction(sec % 60, nsec, 9) .. "s"
  local minutes = floor(sec / 60)
  if minutes > 0 then
    text = format("%dm", minutes % 60) .. text
    if minutes >= 60 then text = format("%dh", floor(minutes / 60)) .. text end
  end
  return sign .. text
end

local function compare(a, b)
  return rawget(a, 1) - rawget(b, 1), rawget(a, 2) - rawget(b, 2)
end

mt = object.class("Duration", methods, {
  __tostring = text_of,
  __eq = function(a, b)
    local sec, nsec = compare(a, b)
    return sec == 0 and nsec == 0
  end,
  __lt = function(a, b)
    local sec, nsec = compare(a, b)
    return sec < 0 or sec == 0 and nsec < 0
  end,
  __le = function(a, b)
    local sec, nsec = compare(a, b)
    return sec < 0 or sec == 0 and nsec <= 0
  end,
})

--- Make a Duration of seconds and nanoseconds of any sign and size; held at the limits of Go, as Time.Sub does.
function duration.make(sec, nsec)
  local carry = floor(nsec / 1000000000)
  sec, nsec = sec + carry, nsec - carry * 1000000000
  if sec > LARGEST or sec == LARGEST and nsec > LARGEST_NSEC then return make(LARGEST, LARGEST_NSEC) end
  if sec < -LARGEST - 1 or sec == -LARGEST - 1 and nsec < 1000000000 - LARGEST_NSEC - 1 then
    return make(-LARGEST - 1, 1000000000 - LARGEST_NSEC - 1)
  end
  return make(sec, nsec)
end

-- nanoseconds of a unit, as (seconds, nanoseconds)
local UNITS = {
  ns = {0, 1}, us = {0, 1000}, ["µs"] = {0, 1000}, ["μs"] = {0, 1000}, ms = {0, 1000000},
  s = {1, 0}, m = {60, 0}, h = {3600, 0},
}

local SUBSECOND = {[1] = 9, [1000] = 6, [1000000] = 3}     -- decimal digits of a unit below the second

local function parse(text)
  if #text > 200 then return nil end
  local sign, rest = match(text, "^([+-]?)(.*)$")
  if rest == "0" then return make(0, 0) end
  if rest == nil or rest == "" then return nil end
  local sec, nsec, at = 0, 0, 1
  while at <= #rest do
    local _, stop, whole, dot, part, unit = find(rest, "^(%d*)(%.?)(%d*)([^%d%.]+)", at)
    local scale = stop and UNITS[unit]
    if not scale or (whole == "" and part == "") or (dot == "" and part ~= "") or #whole > 20 then return nil end
    local count = tonumber(whole == "" and "0" or whole)
    if scale[1] > 0 then
      sec = sec + count * scale[1]
      if part ~= "" then
        -- nine digits of fraction, times up to 3600, stay exact
        local digits = tonumber(sub(part .. rep("0", 9), 1, 9)) * scale[1]
        local whole_seconds = floor(digits / 1000000000)
        sec, nsec = sec + whole_seconds, nsec + (digits - whole_seconds * 1000000000)
        if scale[1] > 1 and #part > 9 then
          nsec = nsec + floor(tonumber(sub(part .. rep("0", 15), 10, 15)) * scale[1] / 1000000)
        end
      end
    else
      local digits = SUBSECOND[scale[2]]       -- whole seconds are split off as text: a count may exceed 2^53
      whole = rep("0", digits) .. whole
      sec = sec + (tonumber(sub(whole, 1, -digits - 1)) or 0)
      nsec = nsec + tonumber(sub(whole, -digits)) * scale[2]
      if part ~= "" then nsec = nsec + floor(tonumber(sub(part .. rep("0", 6), 1, 6)) * scale[2] / 1000000) end
    end
    if sec > LARGEST + 1 then return nil end
    at = stop + 1
  end
  local carry = floor(nsec / 1000000000)
  sec, nsec = sec + carry, nsec - carry * 1000000000
  if sec > LARGEST or sec == LARGEST and nsec > LARGEST_NSEC then
    return sign == "-" and sec == LARGEST and nsec == LARGEST_NSEC + 1 and duration.make(-sec, -nsec) or nil
  end
  if sign == "-" then return duration.make(-sec, -nsec) end
  return make(sec, nsec)
end

local known, known_count = {}, 0     -- texts parsed before; a Duration is never changed by the library

local function shown(v)
  if type(v) == "string" then
    return #v > 64 and '"' .. sub(v, 1, 61) .. '..."' or '"' .. v .. '"'
  end
  if v ~= v or abs(v) == 1 / 0 then return tostring(v) end
  return format("%.0f", v)
end

--- Read nanoseconds, a Go duration text or a Duration: seconds and nanoseconds, or nil and what is wrong.
function duration.read(v)
  local kind = type(v)
  if kind == "number" then
    if v ~= v or abs(v) > LARGEST * 1000000000 then return nil, "invalid duration: " .. shown(v) .. " ns is out of range" end
    v = v < 0 and -floor(-v) or floor(v)
    local sec = floor(v / 1000000000)
    return sec, v - sec * 1000000000
  elseif kind == "string" then
    local d = known[v]
    if not d then
      d = parse(v)
      if not d then return nil, "invalid duration: " .. shown(v) .. ' (want a text such as "1h30m", "250ms")' end
      if known_count >= 500 then known, known_count = {}, 0 end
      known[v], known_count = {d[1], d[2]}, known_count + 1
    end
    return d[1], d[2]
  elseif object.is(v, mt) then
    local sec, nsec = rawget(v, 1), rawget(v, 2)
    -- scripts can write into their objects: what goes on to the kernel is looked at again
    if type(sec) == "number" and type(nsec) == "number" and sec >= -LARGEST - 1 and sec <= LARGEST
      and nsec >= 0 and nsec < 1000000000 then
      return sec, nsec
    end
    return nil, "invalid duration: a Duration that was tampered with"
  end
  return nil, "invalid duration: number, string or Duration expected, got " .. object.type(v)
end

function duration.is(v) return object.is(v, mt) end

return duration
