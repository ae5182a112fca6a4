-- Structured errors (spec lua-api.md §3): values with message, kind, retryable, details and stack.

local object = require("object")

local setmetatable, type, tostring, rawget, select = setmetatable, type, tostring, rawget, select
local tonumber = tonumber
local error, pcall = error, pcall
local getinfo = debug.getinfo
local find, match = string.find, string.match
local concat = table.concat

local r = require("state").r
local CAPTURE_REDUCTIONS = 100   -- walking a stack is work

local KINDS = {
  UNKNOWN = "",
  NOT_FOUND = "NotFound",
  ALREADY_EXISTS = "AlreadyExists",
  INVALID = "Invalid",
  PERMISSION_DENIED = "PermissionDenied",
  UNAVAILABLE = "Unavailable",
  INTERNAL = "Internal",
  CANCELED = "Canceled",
  CONFLICT = "Conflict",
  TIMEOUT = "Timeout",
  RATE_LIMITED = "RateLimited",
}
local kind_of_text = {}
for name, value in pairs(KINDS) do
  kind_of_text[name] = value
  if value ~= "" then kind_of_text[value] = value end
end

local methods = {}
local mt

-- fields of an error: [1] message, [2] kind, [3] retryable, [4] details, [5] frames, [6] text of the wrappers
function methods:message() return rawget(self, 1) end
function methods:kind() return rawget(self, 2) or "" end
function methods:retryable() return rawget(self, 3) end
function methods:details() return rawget(self, 4) end

local function frame_text(frame)
  return frame.source .. (frame.line > 0 and ":" .. frame.line or "") .. (frame.name ~= "" and " in " .. frame.name or "")
end

function methods:stack()
  local frames = rawget(self, 5)
  if type(frames) == "string" then return frames end
  if not frames then return "" end
  local lines = {}
  for i = 1, #frames do lines[i] = frame_text(frames[i]) end
  return concat(lines, "\n")
end

local function text_of(err)
  return (rawget(err, 6) or "") .. tostring(rawget(err, 1))
end

mt = object.class("error", methods, {
  __tostring = text_of,
  __concat = function(a, b)
    if object.is(a, mt) then a = text_of(a) end
    if object.is(b, mt) then b = text_of(b) end
    return a .. b
  end,
})

-- The frames of scripts, innermost first; the runtime's own (chunk names beginning with "=") are left out.
-- `stop` is a function of the runtime below which the frames belong to somebody else.
local function capture(level, thread, stop)
  r.n = r.n - CAPTURE_REDUCTIONS
  local frames = {}
  for i = level, level + 60 do
    local info
    if thread then info = getinfo(thread, i, "Slnf") else info = getinfo(i, "Slnf") end
    if not info or info.func == stop then break end
    if info.what ~= "C" and find(info.source, "^@") then
      frames[#frames + 1] = {source = info.short_src, line = info.currentline, name = info.name or ""}
      if #frames == 32 then break end
    end
  end
  return frames
end

local errors = {mt = mt, KINDS = KINDS, capture = capture}

function errors.is_error(v) return object.is(v, mt) end

--- Make an error. The stack is that of the caller unless `frames` (a list, or text from another place) is given.
function errors.make(kind, message, retryable, details, frames)
  return setmetatable({message, kind, retryable, details, frames or capture(3)}, mt)
end

--- Make an error for a result: no stack is taken, for what fails often and by design (a send to the dead).
function errors.plain(kind, message, retryable, details)
  return setmetatable({message, kind, retryable, details, ""}, mt)
end

--- Return a copy of an error without its details.
function errors.shell(err)
  local frames = rawget(err, 5)
  if type(frames) == "table" then frames = methods.stack(err) end
  return setmetatable({rawget(err, 1), rawget(err, 2), rawget(err, 3), nil, frames, rawget(err, 6)}, mt)
end

-- The innermost frame of a coroutine that ended by an error of the interpreter itself (arithmetic on nil) has lost its
-- line; the message begins with it.
local function recover_line(frames, text)
  local first = type(frames) == "table" and frames[1]
  if first and first.line < 1 and find(text, first.source .. ":", 1, true) == 1 then
    first.line = tonumber(match(text, "^(%d+): ", #first.source + 2)) or first.line
  end
end

--- Turn whatever was raised into a structured error (§1.7): retryable stays unset for plain values.
function errors.from_raised(raised, frames)
  if object.is(raised, mt) then
    if (rawget(raised, 2) or "") == "" or (rawget(raised, 5) or "") == "" then
      local kind = rawget(raised, 2) or ""
      local stack = rawget(raised, 5)
      if stack == nil or stack == "" then stack = frames end
      return setmetatable({rawget(raised, 1), kind == "" and "Internal" or kind, rawget(raised, 3), rawget(raised, 4), stack, rawget(raised, 6)}, mt)
    end
    return raised
  end
  local text
  if type(raised) == "string" then
    text = raised
  else
    local ok, shown = pcall(tostring, raised)
    text = ok and type(shown) == "string" and shown or "(error value that cannot be shown)"
  end
  recover_line(frames, text)
  return setmetatable({text, "Internal", nil, nil, frames or ""}, mt)
end

-- the module `errors` as scripts see it
local api = {}
for name, value in pairs(KINDS) do api[name] = value end

function api.new(first, second)
  if type(first) == "table" and not object.class_of(first) then
    local message = rawget(first, "message")
    if type(message) ~= "string" then error("errors.new: field 'message' is required and must be a string", 2) end
    local kind, retryable, details = rawget(first, "kind"), rawget(first, "retryable"), rawget(first, "details")
    if kind ~= nil and type(kind) ~= "string" then error("errors.new: field 'kind' must be a string", 2) end
    if retryable ~= nil and type(retryable) ~= "boolean" then error("errors.new: field 'retryable' must be a boolean", 2) end
    if details ~= nil and type(details) ~= "table" then error("errors.new: field 'details' must be a table", 2) end
    return errors.make(kind or "", message, retryable, details)
  end
  if type(first) ~= "string" then
    error("bad argument #1 to 'new' (string or table expected, got " .. (first == nil and "no value" or object.type(first)) .. ")", 2)
  end
  if type(second) == "string" and kind_of_text[first] then
    return errors.make(kind_of_text[first], second)
  end
  return errors.make("", first)
end

function api.wrap(err, context)
  if type(context) ~= "string" then
    error("bad argument #2 to 'wrap' (string expected, got " .. (context == nil and "no value" or object.type(context)) .. ")", 2)
  end
  if object.is(err, mt) then
    return setmetatable({rawget(err, 1), rawget(err, 2), rawget(err, 3), rawget(err, 4), rawget(err, 5), context .. ": " .. (rawget(err, 6) or "")}, mt)
  end
  if type(err) ~= "string" then
    error("bad argument #1 to 'wrap' (error or string expected, got " .. (err == nil and "no value" or object.type(err)) .. ")", 2)
  end
  local made = errors.make("", err)
  made = setmetatable({err, "", nil, nil, rawget(made, 5), context .. ": "}, mt)
  return made
end

function api.is(v, kind) return object.is(v, mt) and (rawget(v, 2) or "") == kind end

function api.call_stack(err)
  if not object.is(err, mt) then return nil end
  local frames = rawget(err, 5)
  if type(frames) ~= "table" then return nil end
  local copied = {}
  for i = 1, #frames do
    copied[i] = {source = frames[i].source, line = frames[i].line, name = frames[i].name}
  end
  return {thread = "main", frames = copied}
end

errors.api = api
return errors
