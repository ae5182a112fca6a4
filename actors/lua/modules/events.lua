-- The module `events` (spec lua-api.md §11): the event bus of the runtime.

local S = require("state")
local errors = require("errors")
local feeds = require("feeds")
local object = require("object")
local outbox = require("outbox")
local scheduler = require("scheduler")
local values = require("values")

local type, rawget, setmetatable, error = type, rawget, setmetatable, error

local LONGEST = 512   -- bytes of a pattern

return function(rt)
  local methods = {}
  local mt = object.class("subscription", methods)   -- {number, channel}

  local function own(self, where)
    if not object.is(self, mt) then
      error("bad argument #1 to '" .. where .. "' (subscription expected, got " .. object.type(self) .. ")", 3)
    end
    return rawget(self, 1), rawget(self, 2)
  end

  --- The channel of the events {system, kind, path, data}; the same one at every call.
  function methods.channel(self)
    local _, ch = own(self, "channel")
    return ch
  end

  --- End the subscription and close its channel.
  function methods.close(self)
    feeds.close((own(self, "close")))
    scheduler.switch()
    return true
  end

  local function unsubscribe(number, pid) feeds.tell("events.unsubscribe", pid, {number = number}) end

  local function text(where, n, v)
    if type(v) ~= "string" then
      error("bad argument #" .. n .. " to '" .. where .. "' (string expected, got " .. (v == nil and "nil" or object.type(v)) .. ")", 3)
    end
    return v
  end

  local events = {}

  function events.subscribe(system, kind)
    text("subscribe", 1, system)
    if kind == nil then kind = "*" end
    text("subscribe", 2, kind)
    if system == "" then return rt.invalid("events.subscribe: the system must not be empty") end
    if kind == "" then return rt.invalid("events.subscribe: the kind must not be empty") end
    if #system > LONGEST or #kind > LONGEST then return rt.invalid("events.subscribe: a pattern has at most " .. LONGEST .. " bytes") end
    local number, ch = feeds.open(unsubscribe)
    feeds.tell("events.subscribe", S.current.pid, {number = number, system = system, kind = kind})
    return setmetatable({number, ch}, mt)
  end

  function events.send(system, kind, path, data)
    if text("send", 1, system) == "" then return rt.invalid("events.send: the system must not be empty") end
    if text("send", 2, kind) == "" then return rt.invalid("events.send: the kind must not be empty") end
    if text("send", 3, path) == "" then return rt.invalid("events.send: the path must not be empty") end
    values.shared = false
    local copied, problem = values.copy(data)
    if problem then return rt.invalid("events.send: " .. problem) end
    if values.dropped then outbox.warn_dropped(S.current, "event '" .. kind .. "'", data) end
    local event = {system = system, kind = kind, path = path, data = copied}
    -- what msgpack would flatten or refuse goes as the kernels' own format
    if values.shared or feeds.tell("events.send", S.current.pid, event) then
      event.data, event.blob = nil, outbox.encode({outbox.travel(copied)})
      feeds.tell("events.send", S.current.pid, event)
    end
    scheduler.switch()
    return true
  end

  return events
end
