-- Reading a text by a layout in the manner of Go (time_layout.lua cuts the layout).

local calendar = require("modules.time_calendar")
local layout = require("modules.time_layout")

local sub, find, match, lower, byte, rep = string.sub, string.find, string.match, string.lower, string.byte, string.rep
local tonumber, type = tonumber, type

-- A reader takes the state, the text, the position and the token; it returns the position behind what it read, or nil
-- and, when a number was read that cannot be, the name of what is out of range.

local function number(text, at, fixed)
  local digits = match(text, fixed and "^%d%d" or "^%d%d?", at)
  if not digits then return nil end
  return tonumber(digits), at + #digits
end

local function field(name, least, most, fixed)
  return function(state, text, at)
    local value, behind = number(text, at, fixed)
    if not value then return nil end
    if value < least or value > most then return nil, name end
    state[name] = value
    return behind
  end
end

local function named(name, names, first, short)
  return function(state, text, at)
    for i = first, #names do
      local candidate = short and sub(names[i], 1, 3) or names[i]
      if lower(sub(text, at, at + #candidate - 1)) == lower(candidate) then
        state[name] = i
        return at + #candidate
      end
    end
    return nil
  end
end

local function half(am, pm)
  return function(state, text, at)
    local mark = sub(text, at, at + 1)
    if mark == pm then state.pm = true
    elseif mark == am then state.am = true
    else return nil end
    return at + 2
  end
end

local function day_of_year(padded)
  return function(state, text, at)
    if padded then
      for _ = 1, 2 do
        if byte(text, at) == 32 then at = at + 1 end
      end
    end
    local digits = match(text, padded and "^%d%d?%d?" or "^%d%d%d", at)
    if not digits then return nil end
    state.year_day = tonumber(digits)
    return at + #digits
  end
end

-- nanoseconds of a fraction's digits; what is finer is dropped
local function nanoseconds(digits) return tonumber(sub(digits .. rep("0", 9), 1, 9)) end

local second = field("second", 0, 59, false)
local second_fixed = field("second", 0, 59, true)

-- seconds may have a fraction that the layout does not mention
local function seconds(read)
  return function(state, text, at, _, next_token)
    local behind, range = read(state, text, at)
    if not behind then return nil, range end
    if not (type(next_token) == "table" and next_token.fraction) then
      local digits = match(text, "^[.,](%d+)", behind)
      if digits then
        state.nsec = nanoseconds(digits)
        behind = behind + 1 + #digits
      end
    end
    return behind
  end
end

-- the length of a zone's name, as far as one can be told
local function signed_offset(text, at)
  local digits = match(text, "^[+-](%d+)", at)
  if not digits or tonumber(digits) > 23 then return 0 end
  return 1 + #digits
end

local function zone_name(text, at)
  local four = sub(text, at, at + 3)
  if four == "ChST" or four == "MeST" then return 4 end
  if sub(four, 1, 3) == "GMT" then return 3 + signed_offset(text, at + 3) end
  if find(four, "^[+-]") then
    local size = #text - at + 1 >= 3 and signed_offset(text, at) or 0
    return size > 0 and size or nil
  end
  local letters = #match(text, "^%u*", at)
  if letters == 3 then return 3 end
  if letters == 5 and sub(text, at + 4, at + 4) == "T" then return 5 end
  if letters == 4 and (sub(four, 4) == "T" or four == "WITA") then return 4 end
  return nil
end

local READERS = {
  ["2006"] = function(state, text, at)
    local digits = match(text, "^%d%d%d%d", at)
    if not digits then return nil end
    state.year = tonumber(digits)
    return at + 4
  end,
  ["06"] = function(state, text, at)
    local year, behind = number(text, at, true)
    if not year then return nil end
    state.year = year >= 69 and 1900 + year or 2000 + year
    return behind
  end,
  ["01"] = field("month", 1, 12, true), ["1"] = field("month", 1, 12, false),
  Jan = named("month", calendar.MONTHS, 1, true), January = named("month", calendar.MONTHS, 1, false),
  Mon = named("weekday", calendar.WEEKDAYS, 0, true), Monday = named("weekday", calendar.WEEKDAYS, 0, false),
  ["02"] = field("day", 0, 99, true), ["2"] = field("day", 0, 99, false),
  _2 = function(state, text, at)
    if byte(text, at) == 32 then at = at + 1 end
    local day, behind = number(text, at, false)
    state.day = day
    return behind
  end,
  ["002"] = day_of_year(false), __2 = day_of_year(true),
  ["15"] = field("hour", 0, 23, false), ["03"] = field("hour", 0, 12, true), ["3"] = field("hour", 0, 12, false),
  ["04"] = field("minute", 0, 59, true), ["4"] = field("minute", 0, 59, false),
  ["05"] = seconds(second_fixed), ["5"] = seconds(second),
  PM = half("AM", "PM"), pm = half("am", "pm"),
  MST = function(state, text, at)
    if sub(text, at, at + 2) == "UTC" then
      state.utc = true
      return at + 3
    end
    local size = zone_name(text, at)
    if not size then return nil end
    state.zone = sub(text, at, at + size - 1)
    return at + size
  end,
}

local function zone_reader(shape)
  local colon = shape.colon and ":" or ""
  local pattern = "^([+-])(%d%d)"
  for _ = 2, shape.pairs do pattern = pattern .. colon .. "(%d%d)" end
  return function(state, text, at)
    if shape.zulu and byte(text, at) == 90 then
      state.utc = true
      return at + 1
    end
    local _, stop, sign, hours, minutes, secs = find(text, pattern, at)
    if not stop then return nil end
    hours, minutes, secs = tonumber(hours), tonumber(minutes or 0), tonumber(secs or 0)
    if hours > 24 then return nil, "time zone offset hour" end
    if minutes > 60 then return nil, "time zone offset minute" end
    if secs > 60 then return nil, "time zone offset second" end
    local offset = (hours * 60 + minutes) * 60 + secs
    state.offset = sign == "-" and -offset or offset
    return stop + 1
  end
end
for _, token in ipairs({"-07", "-0700", "-07:00", "-070000", "-07:00:00", "Z07", "Z0700", "Z07:00", "Z070000", "Z07:00:00"}) do
  READERS[token] = zone_reader(layout.zone_shape(token))
end

local function read_fraction(token, state, text, at)
  local digits
  if token.fraction == "fixed" then
    digits = match(text, "^[.,](" .. rep("%d", token.digits) .. ")", at)
    if not digits then return nil end
  else
    digits = match(text, "^[.,](%d+)", at)
    if not digits then return at end       -- it may be left out
  end
  state.nsec = nanoseconds(digits)
  return at + 1 + #digits
end

-- literal text; one blank of the layout stands for any number of them
local function skip(literal, text, at)
  local i = 1
  while i <= #literal do
    local c = byte(literal, i)
    if c == 32 then
      if at <= #text and byte(text, at) ~= 32 then return nil end
      while byte(literal, i) == 32 do i = i + 1 end
      while byte(text, at) == 32 do at = at + 1 end
    else
      if byte(text, at) ~= c then return nil end
      i, at = i + 1, at + 1
    end
  end
  return at
end

local function settle_date(state)
  local year = state.year
  if state.year_day then
    local leap = calendar.is_leap(year)
    if state.year_day < 1 or state.year_day > (leap and 366 or 365) then return "day-of-year out of range" end
    local _, month, day = calendar.date_of(calendar.day_number(year, 1, state.year_day))
    if state.month and state.month ~= month then return "day-of-year does not match month" end
    if state.day and state.day ~= day then return "day-of-year does not match day" end
    state.month, state.day = month, day
  end
  state.month, state.day = state.month or 1, state.day or 1
  if state.day < 1 or state.day > calendar.days_in(year, state.month) then return "day out of range" end
  return nil
end

local function shown(text)
  return #text > 64 and '"' .. sub(text, 1, 61) .. '..."' or '"' .. text .. '"'
end

local SOURCE = setmetatable({}, {__index = function(_, token)
  if type(token) == "string" then return token end
  return token.text or token.mark .. rep(token.fraction == "fixed" and "0" or "9", token.digits)
end})

--- Read `text` by `layout_text`: fields year month day hour minute second nsec, and utc, offset (seconds) or zone when
--- the text names one; or nil and what is wrong.
return function(layout_text, text)
  local tokens, at = layout.tokens(layout_text), 1
  local state = {year = 0, hour = 0, minute = 0, second = 0, nsec = 0}
  local head = "parsing time " .. shown(text)
  for i = 1, #tokens do
    local token, behind, range = tokens[i], nil, nil
    local read = READERS[token]
    if read then behind, range = read(state, text, at, token, tokens[i + 1])
    elseif token.fraction then behind = read_fraction(token, state, text, at)
    else behind = skip(token.text, text, at) end
    if not behind then
      if range then return nil, head .. ": " .. range .. " out of range" end
      return nil, head .. " as " .. shown(layout_text) .. ": cannot parse " .. shown(sub(text, at)) .. " as "
        .. shown(SOURCE[token])
    end
    at = behind
  end
  if at <= #text then return nil, head .. ": extra text: " .. shown(sub(text, at)) end
  if state.pm and state.hour < 12 then state.hour = state.hour + 12
  elseif state.am and state.hour == 12 then state.hour = 0 end
  local fault = settle_date(state)
  if fault then return nil, head .. ": " .. fault end
  return state
end
