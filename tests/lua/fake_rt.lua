-- A stand-in for the kernel's services: a clock moved by hand, timers that fire when it moves, buffered channels.
local call = ...
local errors = require("errors")
local object = require("object")

local rt, timers, now, offset = {object_mark = {__metatable = false}}, {}, 0, 1700000000

local channel_methods = {}
local channel = object.class("channel", channel_methods)
function channel_methods:receive()
  if #self.queue > 0 then return table.remove(self.queue, 1), true end
  if rawget(self, "closed") then return nil, false end
  error("would block", 2)
end
function rt.channel(size) return setmetatable({queue = {}, size = size, closed = false}, channel) end
function rt.offer(ch, value)
  if rawget(ch, "closed") or #ch.queue >= math.max(ch.size, 1) then return false end
  ch.queue[#ch.queue + 1] = value
  return true
end
function rt.close(ch) rawset(ch, "closed", true) end

function rt.monotonic() return now end
function rt.wall() return offset + now end
function rt.wall_parts() return offset + math.floor(now), math.floor((now % 1) * 1e9 + 0.5) end
function rt.set_wall(sec) offset = sec - now end

function rt.call_later(seconds, fn)
  local handle = {at = now + seconds, fn = fn}
  timers[#timers + 1] = handle
  return handle
end
function rt.cancel_timer(handle)
  for i = 1, #timers do
    if timers[i] == handle then table.remove(timers, i) return true end
  end
  return false
end
function rt.timers() return #timers end

-- Move the clock on, firing what is due in the order of time.
function rt.advance(seconds)
  local till = now + seconds
  while true do
    local best
    for i = 1, #timers do
      if timers[i].at <= till and (not best or timers[i].at < timers[best].at) then best = i end
    end
    if not best then break end
    local handle = table.remove(timers, best)
    now = handle.at
    handle.fn()
  end
  now = till
end
function rt.sleep(seconds)
  rt.slept = (rt.slept or 0) + seconds
  rt.advance(seconds)
end

function rt.door(name, ...) return call(name, ...) end
function rt.log(level, message, fields) rt.logged = {level = level, message = message, fields = fields} end
local counter = 0
function rt.random_bytes(n)
  local out = {}
  for i = 1, n do
    counter = (counter * 1103515245 + 12345) % 2147483648
    out[i] = string.char(math.floor(counter / 65536) % 256)
  end
  return table.concat(out)
end
function rt.seeded() return 0.5 end
function rt.invalid(message) return nil, errors.make("Invalid", message) end

_G.rt = rt
local loaded = {}
function _G.module(name)
  if not loaded[name] then loaded[name] = require("modules." .. name)(rt) end
  return loaded[name]
end

-- What a chunk of a test sees: the globals, with the `type` of scripts.
return setmetatable({type = object.type}, {__index = _G})
