-- Time zones. What a named zone says of a stretch of time comes once through the door and is kept here.

local object = require("object")

local floor = math.floor
local setmetatable, error, rawget, tonumber, tostring, type = setmetatable, error, rawget, tonumber, tostring, type
local gmatch, format = string.gmatch, string.format

local STRETCH = 4194304        -- seconds (48 days) that one question covers
local KEPT = 150               -- stretches kept per zone

local location = {}
local methods = {}
local mt

-- fields: [1] name, [2] offset of a fixed zone in seconds, nil for a named one
function methods:string()
  if not object.is(self, mt) then
    error("bad argument #1 to 'string' (Location expected, got " .. object.type(self) .. ")", 2)
  end
  return rawget(self, 1)
end

mt = object.class("Location", methods, {__tostring = function(self) return rawget(self, 1) end})

function location.is(v) return object.is(v, mt) end

--- Make a zone with one offset for ever.
function location.fixed(name, offset) return setmetatable({name, offset}, mt) end

--- The zones of a VM. `rt.door("tz", name, first second)` answers lines "from offset isdst abbreviation".
function location.zones(rt)
  local zones = {}
  local stretches, counts = {}, {}     -- zone name -> number of the stretch -> {from, offset, abbreviation, dst, ...}

  local function ask(name, number)
    if type(name) ~= "string" then error("a Location that was tampered with", 0) end
    local answer, kind, message = rt.door("tz", name, format("%d", number * STRETCH))
    if not answer then return nil, kind, message end
    local segments = {}
    for from, offset, dst, abbreviation in gmatch(answer, "(%-?%d+) (%-?%d+) (%d) ([^\n]*)") do
      local n = #segments
      segments[n + 1], segments[n + 2] = tonumber(from), tonumber(offset)
      segments[n + 3], segments[n + 4] = abbreviation, dst == "1"
    end
    if not stretches[name] or counts[name] >= KEPT then stretches[name], counts[name] = {}, 0 end
    stretches[name][number], counts[name] = segments, counts[name] + 1
    return segments
  end

  --- Offset in seconds, abbreviation and whether daylight saving holds, of a zone at a Unix second.
  function zones.lookup(loc, sec)
    local fixed = rawget(loc, 2)
    if fixed then return fixed, rawget(loc, 1), false end
    local name, number = rawget(loc, 1), floor(sec / STRETCH)
    local own = stretches[name]
    local segments = own and own[number]
    if not segments then
      local kind, message
      segments, kind, message = ask(name, number)
      if not segments then error("time zone " .. tostring(name) .. ": " .. tostring(message or kind), 0) end
    end
    local i = #segments - 3
    while i > 1 and segments[i] > sec do i = i - 4 end
    return segments[i + 1], segments[i + 2], segments[i + 3]
  end

  --- The Unix second of a local one; in a gap or an overlap what Go's time.Date gives.
  function zones.to_unix(loc, seconds)
    local offset = zones.lookup(loc, seconds)
    return seconds - zones.lookup(loc, seconds - offset)
  end

  --- The offset that `abbreviation` stands for in a zone near a local second, or nil.
  function zones.offset_of(loc, abbreviation, seconds)
    local any
    for months = 0, 12 do
      for side = -1, 1, 2 do
        local offset, text = zones.lookup(loc, seconds + side * months * 2629746)
        if text == abbreviation then
          local _, there = zones.lookup(loc, seconds - offset)
          if there == abbreviation then return offset end
          any = any or offset
        end
      end
    end
    return any
  end

  --- A named zone; nil, kind and message when there is none.
  function zones.load(name)
    if name == "UTC" then return zones.utc end
    if name == "Local" then return zones.here end
    if not stretches[name] then
      local segments, kind, message = ask(name, 0)
      if not segments then return nil, kind, message end
    end
    return setmetatable({name}, mt)
  end

  zones.utc = location.fixed("UTC", 0)
  zones.here = setmetatable({"Local"}, mt)
  return zones
end

return location
