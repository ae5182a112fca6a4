-- The one process of a terminal host (spec processes.md §8, cli.md §8): that it is alone, its streams, its end.
-- Records for Python: [TERMINAL, what, ...]; actors/terminal/terminal.py handles them.

local S = require("state")
local errors = require("errors")
local outbox = require("outbox")
local scheduler = require("scheduler")

local co_yield, WAIT = coroutine.yield, S.WAIT
local type = type
local to_python = outbox.to_python

local M = {
  OUTPUT = 20,        -- number of the records
  process = false,    -- the process, from the moment its script is loaded
  closed = {},        -- stream number -> why nothing can be written to it any more
  args = {},          -- arguments of the command
}

--- Make this VM that of a terminal host.
function M.open(hide_logs, args)
  M.hide_logs = hide_logs
  M.args = args
  S.terminal = M
end

--- A process is being made: an error when there is one already.
function M.enter(p)
  local other = M.process
  if other then
    return errors.plain("Unavailable", "the terminal host " .. S.host .. " runs one process at a time, and " .. other.pid ..
      " (" .. other.entry.id .. ") lives", true)
  end
  M.process = p
end

--- It came to nothing.
function M.leave() M.process = false end

-- what becomes an exit code or a line of text; the rest of what a process may return is nothing to the terminal
local function plain(value)
  local t = type(value)
  if t == "number" or t == "boolean" or t == "string" then return value end
end

--- It exists: Python hears of it, and will hear of its end.
function M.begin(p)
  to_python(4, M.OUTPUT, "began", p.pid, M.hide_logs)
  local waiter = p.waiter
  p.waiter = function(value, err)
    M.process = false
    local problem = to_python(5, M.OUTPUT, "ended", p.pid, plain(value), err)
    if problem then to_python(5, M.OUTPUT, "ended", p.pid, nil, errors.shell(err)) end
    if waiter then return waiter(value, err) end
  end
end

--- Write to stream 1 (output) or 2 (errors). Does not wait.
function M.write(stream, text)
  local why = M.closed[stream]
  if why then return nil, errors.make("Unavailable", why) end
  to_python(4, M.OUTPUT, "write", stream, text)
  return true
end

--- Read at most `n` bytes, or a line when `n` is nil. Blocks the calling coroutine.
function M.read(n, what)
  scheduler.may_block(what)
  local t, p = S.thread, S.current
  local ref = S.next_ref + 1
  S.next_ref = ref
  p.ops = p.ops + 1
  local function done(value, err)
    if p.dead then return end
    p.ops = p.ops - 1
    t.v, t.ok = value, err
    scheduler.make_ready(t)
  end
  S.refs[ref] = {vm = false, p = p, done = done, fail = function(err) done(nil, err) end}
  to_python(4, M.OUTPUT, "read", ref, n or 0)
  co_yield(WAIT)
  local value, err = t.v, t.ok
  t.v = nil
  if value == nil then return nil, err end
  return value
end

--- Python tells that a stream is closed.
function M.input(stream, why) M.closed[stream] = why end

return M
