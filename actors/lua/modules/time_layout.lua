-- Layouts in the manner of Go: a layout shows how the reference time would be written. This file cuts a layout into
-- tokens and formats by them; time_parse.lua reads by them.

local calendar = require("modules.time_calendar")

local byte, sub, find, format, gsub, match = string.byte, string.sub, string.find, string.format, string.gsub, string.match
local concat = table.concat
local floor, abs = math.floor, math.abs

local layout = {}

-- fixed tokens by their first byte, longer ones before their own beginnings
local FIXED = {
  J = {"January", "Jan"},
  M = {"Monday", "Mon", "MST"},
  ["0"] = {"002", "01", "02", "03", "04", "05", "06"},
  ["1"] = {"15", "1"},
  ["2"] = {"2006", "2"},
  _ = {"__2", "_2006", "_2"},
  ["3"] = {"3"}, ["4"] = {"4"}, ["5"] = {"5"},
  P = {"PM"}, p = {"pm"},
  ["-"] = {"-070000", "-07:00:00", "-0700", "-07:00", "-07"},
  Z = {"Z070000", "Z07:00:00", "Z0700", "Z07:00", "Z07"},
}
-- a name that goes on in small letters is a word of its own ("Month")
local NAME = {Jan = true, Mon = true}

local function token_at(text, at)
  local c = sub(text, at, at)
  if c == "." or c == "," then
    local run = match(text, "^0+", at + 1) or match(text, "^9+", at + 1)
    if not run or find(text, "^%d", at + 1 + #run) then return nil end
    return {fraction = byte(run) == 48 and "fixed" or "trimmed", digits = #run, mark = c}, 1 + #run
  end
  local names = FIXED[c]
  if not names then return nil end
  for i = 1, #names do
    local name = names[i]
    if sub(text, at, at + #name - 1) == name and not (NAME[name] and find(text, "^%l", at + #name)) then
      if name == "_2006" then return "2006", 5, "_" end
      return name, #name
    end
  end
  return nil
end

local cache, cached = {}, 0

--- The tokens of a layout: a list in which literal text is {text = ...}, a fraction {fraction, digits, mark}, and every
--- other element is a token as text.
function layout.tokens(text)
  local tokens = cache[text]
  if tokens then return tokens end
  tokens = {}
  local at, from = 1, 1
  local function literal(to, more)
    local part = sub(text, from, to) .. (more or "")
    if part ~= "" then tokens[#tokens + 1] = {text = part} end
  end
  while at <= #text do
    local token, size, before = token_at(text, at)
    if token then
      literal(at - 1, before)
      tokens[#tokens + 1] = token
      at = at + size
      from = at
    else
      at = at + 1
    end
  end
  literal(#text)
  if cached >= 200 then cache, cached = {}, 0 end
  if #text <= 200 then cache[text], cached = tokens, cached + 1 end
  return tokens
end

--- The shape of a zone token: with Z for zero, with colons, and how many pairs of digits.
function layout.zone_shape(token)
  local first = sub(token, 1, 1)
  if (first ~= "Z" and first ~= "-") or #token < 3 then return nil end
  local _, digits = gsub(token, "%d", "")
  return {zulu = first == "Z", colon = find(token, ":", 1, true) ~= nil, pairs = digits / 2}
end

local function zone_text(shape, offset)
  if shape.zulu and offset == 0 then return "Z" end
  local sign, size = offset < 0 and "-" or "+", abs(offset)
  local colon = shape.colon and ":" or ""
  local text = sign .. format("%02d", floor(size / 3600))
  if shape.pairs >= 2 then text = text .. colon .. format("%02d", floor(size / 60) % 60) end
  if shape.pairs >= 3 then text = text .. colon .. format("%02d", size % 60) end
  return text
end

local function hour12(t)
  local hour = t.hour % 12
  return hour == 0 and 12 or hour
end

local WRITERS = {
  ["2006"] = function(t)
    if t.year < 0 then return "-" .. format("%04d", -t.year) end
    return format("%04d", t.year)
  end,
  ["06"] = function(t) return format("%02d", (t.year < 0 and 0 or t.year) % 100) end,
  ["01"] = function(t) return format("%02d", t.month) end,
  ["1"] = function(t) return format("%d", t.month) end,
  Jan = function(t) return sub(calendar.MONTHS[t.month], 1, 3) end,
  January = function(t) return calendar.MONTHS[t.month] end,
  ["02"] = function(t) return format("%02d", t.day) end,
  ["2"] = function(t) return format("%d", t.day) end,
  _2 = function(t) return format("%2d", t.day) end,
  ["002"] = function(t) return format("%03d", t.year_day) end,
  __2 = function(t) return format("%3d", t.year_day) end,
  Mon = function(t) return sub(calendar.WEEKDAYS[t.weekday], 1, 3) end,
  Monday = function(t) return calendar.WEEKDAYS[t.weekday] end,
  ["15"] = function(t) return format("%02d", t.hour) end,
  ["03"] = function(t) return format("%02d", hour12(t)) end,
  ["3"] = function(t) return format("%d", hour12(t)) end,
  ["04"] = function(t) return format("%02d", t.minute) end,
  ["4"] = function(t) return format("%d", t.minute) end,
  ["05"] = function(t) return format("%02d", t.second) end,
  ["5"] = function(t) return format("%d", t.second) end,
  PM = function(t) return t.hour >= 12 and "PM" or "AM" end,
  pm = function(t) return t.hour >= 12 and "pm" or "am" end,
  MST = function(t)
    if t.zone ~= "" then return t.zone end
    local size = floor(abs(t.offset) / 60)
    return (t.offset < 0 and "-" or "+") .. format("%02d", floor(size / 60)) .. format("%02d", size % 60)
  end,
}
for _, token in ipairs({"-07", "-0700", "-07:00", "-070000", "-07:00:00", "Z07", "Z0700", "Z07:00", "Z070000", "Z07:00:00"}) do
  local shape = layout.zone_shape(token)
  WRITERS[token] = function(t) return zone_text(shape, t.offset) end
end

local function fraction_text(token, nsec)
  local digits = format("%09d", nsec)
  digits = sub(digits, 1, token.digits)      -- nine at most, as Go does
  if token.fraction == "trimmed" then
    digits = gsub(digits, "0+$", "")
    if digits == "" then return "" end
  end
  return token.mark .. digits
end

--- Write a time, given as fields year month day year_day weekday hour minute second nsec offset zone.
function layout.format(text, t)
  local out, tokens = {}, layout.tokens(text)
  for i = 1, #tokens do
    local token = tokens[i]
    local write = WRITERS[token]
    if write then out[i] = write(t)
    elseif token.fraction then out[i] = fraction_text(token, t.nsec)
    else out[i] = token.text end
  end
  return concat(out)
end

layout.LONGEST = 4096      -- bytes of a layout; cutting it is a loop that nothing interrupts

layout.NAMES = {
  RFC3339 = "2006-01-02T15:04:05Z07:00", RFC3339NANO = "2006-01-02T15:04:05.999999999Z07:00",
  RFC822 = "02 Jan 06 15:04 MST", RFC822Z = "02 Jan 06 15:04 -0700",
  RFC850 = "Monday, 02-Jan-06 15:04:05 MST",
  RFC1123 = "Mon, 02 Jan 2006 15:04:05 MST", RFC1123Z = "Mon, 02 Jan 2006 15:04:05 -0700",
  DATE_TIME = "2006-01-02 15:04:05", DATE_ONLY = "2006-01-02", TIME_ONLY = "15:04:05", KITCHEN = "3:04PM",
  STAMP = "Jan _2 15:04:05", STAMP_MILLI = "Jan _2 15:04:05.000", STAMP_MICRO = "Jan _2 15:04:05.000000",
  STAMP_NANO = "Jan _2 15:04:05.000000000",
}

return layout
