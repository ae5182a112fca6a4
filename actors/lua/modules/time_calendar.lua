-- The proleptic Gregorian calendar in whole numbers; day 0 is 1970-01-01.

local floor = math.floor

local calendar = {}

local BEFORE = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}
local LENGTHS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

function calendar.is_leap(year) return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) end

function calendar.days_in(year, month)
  return month == 2 and calendar.is_leap(year) and 29 or LENGTHS[month]
end

--- The day number of a date; months and days outside their ranges roll over.
function calendar.day_number(year, month, day)
  local months = month - 1
  year, month = year + floor(months / 12), months % 12 + 1
  local past = year - 1
  local days = past * 365 + floor(past / 4) - floor(past / 100) + floor(past / 400) + BEFORE[month]
  if month > 2 and calendar.is_leap(year) then days = days + 1 end
  return days + day - 719163
end

--- Year, month, day and day of the year of a day number.
function calendar.date_of(number)
  local days = number + 719162              -- since 0001-01-01
  local eras = floor(days / 146097)
  days = days - eras * 146097
  local centuries = floor(days / 36524)
  if centuries == 4 then centuries = 3 end
  days = days - centuries * 36524
  local fours = floor(days / 1461)
  days = days - fours * 1461
  local years = floor(days / 365)
  if years == 4 then years = 3 end
  days = days - years * 365
  local year = eras * 400 + centuries * 100 + fours * 4 + years + 1
  local leap = calendar.is_leap(year)
  local month = floor(days / 31) + 1
  local function before(m) return BEFORE[m] + (m > 2 and leap and 1 or 0) end
  if month < 12 and days >= before(month + 1) then month = month + 1 end
  return year, month, days - before(month) + 1, days + 1
end

--- The day of the week of a day number: 0 is Sunday.
function calendar.weekday(number) return (number + 4) % 7 end

--- The ISO 8601 year and week of a day number.
function calendar.iso_week(number)
  local thursday = number - (number + 3) % 7 + 3
  local year, _, _, day = calendar.date_of(thursday)
  return year, floor((day - 1) / 7) + 1
end

calendar.MONTHS = {
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
  "December",
}
calendar.WEEKDAYS = {[0] = "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

return calendar
