-- Streams of events that Python feeds into channels of processes: the event bus, process groups. A subscription is a
-- number of its process and a queue; what does not fit the channel's buffer waits in the queue, nothing is lost.

local S = require("state")
local channel = require("channel")
local loader = require("loader")
local outbox = require("outbox")
local values = require("values")

local type, pairs = type, pairs
local procs = S.procs

local M = {}

local BUFFER = 64
local last = 0

--- Tell a service of Python something that it does not answer, in the order of what else leaves, for process `pid`.
--- Returns the problem if a value cannot cross.
function M.tell(service, pid, args) return outbox.to_python(5, outbox.ASK, service, nil, pid, args) end

local function held_by(p)
  local held = p.held
  if not held then
    held = {}
    p.held = held
  end
  return held
end

--- Note that the running process is known to the groups of Python, which must learn of its end.
function M.note_member() held_by(S.current).member = true end

--- Make a subscription of the running process. `close(number, pid)` tells its source that it ended. Returns its number and
--- its channel.
function M.open(close)
  local p = S.current
  local held = held_by(p)
  local feeds = held.feeds
  if not feeds then
    feeds = {}
    held.feeds = feeds
  end
  last = last + 1
  local queue = channel.new_queue(BUFFER)
  feeds[last] = {queue = queue, close = close}
  p.subs = p.subs or {}     -- who is subscribed to anything is idle, not in a deadlock
  return last, channel.bind(p, queue)
end

--- End a subscription of the running process; what was fed can still be received, unless it is to be flushed.
function M.close(number, flush)
  local held = S.current.held
  local feed = held and held.feeds and held.feeds[number]
  if not feed then return end
  held.feeds[number] = nil
  feed.close(number, S.current.pid)
  local queue = feed.queue
  if flush then
    for i = queue.h, queue.t do queue[i] = nil end
    queue.h, queue.t = 1, 0
  end
  channel.close_queue(queue)
end

--- Take an event in: `targets` is a list pid, number, pid, number …; `blob` holds data that msgpack cannot.
function M.feed(targets, system, kind, path, data, blob)
  local shared = false
  for i = 1, #targets, 2 do
    local p = procs[targets[i]]
    local held = p and p.held
    local feed = held and held.feeds and held.feeds[targets[i + 1]]
    if feed then
      local own = data
      if blob then
        own = outbox.restore(outbox.decode_blob(blob)[1])
      elseif type(own) == "table" then
        if shared then own = values.copy_deep(own) end
        shared = true
      end
      channel.feed(feed.queue, {system = system, kind = kind, path = path, data = own})
    end
  end
end

--- A process ends its subscriptions: at an upgrade.
function M.reset(p)
  local held = p.held
  local feeds = held and held.feeds
  if not feeds then return end
  held.feeds = nil
  for number, feed in pairs(feeds) do
    feed.queue.closed = true
    feed.close(number, p.pid)
  end
end

--- A process ended: its memberships and subscriptions end with it.
function M.let_go(p)
  M.reset(p)
  if p.held.member then loader.door("pg", "drop", "", p.pid, "") end
end

return M
