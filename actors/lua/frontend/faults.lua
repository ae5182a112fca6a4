-- What is wrong with a source, and where: the one kind of error that the front end raises.

local error, getmetatable, setmetatable = error, getmetatable, setmetatable
local byte, find, gsub, sub = string.byte, string.find, string.gsub, string.sub

local SHOWN = 40
local Fault = {}

local faults = {}

--- Raises a fault at a byte of the source. The line is counted only when somebody asks for it (`locate`).
---@param offset integer
---@param message string
function faults.fail(offset, message)
  error(setmetatable({ offset = offset, message = message }, Fault), 0)
end

---@return boolean whether the value was raised by `fail`
function faults.is(value)
  return getmetatable(value) == Fault
end

--- Line and column, both from 1, of a byte of the source. Any of \n, \r, \r\n and \n\r ends a line, as in Lua.
---@return integer line, integer column in bytes
function faults.locate(source, offset)
  local line, start = 1, 1
  while true do
    local at = find(source, "[\r\n]", start)
    if not at or at >= offset then
      return line, offset - start + 1
    end
    local first, second = byte(source, at, at + 1)
    if (second == 10 or second == 13) and second ~= first then
      at = at + 1
    end
    line, start = line + 1, at + 1
  end
end

--- Bytes of the source as they are shown in a message: one line, printable, not long.
function faults.quote(text)
  if #text > SHOWN then
    text = sub(text, 1, SHOWN - 3) .. "..."
  end
  return (gsub(text, "%c", " "))
end

return faults
