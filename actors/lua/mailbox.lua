-- The mailbox of a process (spec processes.md §4-5): a queue per subscription, filled on arrival and numbered, so that
-- `listen`, `unlisten` and upgrade can sort again. `inq` feeds inbox(), `subs` the topics, `evq` events();
-- `pend` keeps what nobody subscribed to.

local S = require("state")
local channel = require("channel")
local scheduler = require("scheduler")
local errors = require("errors")
local message = require("message")
local outbox = require("outbox")

local feed, new_queue, close_queue = channel.feed, channel.new_queue, channel.close_queue
local setmetatable, type, pairs, rawget, next = setmetatable, type, pairs, rawget, next
local sort, byte = table.sort, string.byte
local dgetmetatable = debug.getmetatable
local message_mt = message.mt

local make_ready, enqueue = scheduler.make_ready, scheduler.enqueue

local M = {}

local r = S.r
local WARN_AT = 1024
local BACKLOG = 256
local BACKLOG_REDUCTIONS = 100
local number = 0

--- Report a message that nobody will get.
function M.dead_letter(to, topic, from, reason)
  S.dead_letters = (S.dead_letters or 0) + 1
  outbox.to_python(5, outbox.DEAD_LETTER, to, topic, from, reason)
end

--- How many messages wait unread, events not counted.
local function waiting(p)
  local n = 0
  if p.inq then n = p.inq.t - p.inq.h + 1 end
  if p.pend then n = n + #p.pend end
  if p.subs then
    for _, q in pairs(p.subs) do n = n + q.t - q.h + 1 end
  end
  return n
end
M.waiting = waiting

local function warn(p)
  local n = waiting(p)
  if n >= (p.warn_at or WARN_AT) then
    p.warn_at = (p.warn_at or WARN_AT) * 2
    if p.warn_at <= n then p.warn_at = n * 2 end
    outbox.log("warn", "mailbox", n .. " messages wait in the mailbox of " .. p.pid .. " (" .. p.entry.id ..
      "); bound it with mailbox: {limit: ...}", {pid = p.pid, entry = p.entry.id, waiting = n})
  end
end

-- values that a script itself put into a channel are no messages
local function is_message(m) return type(m) == "table" and dgetmetatable(m) == message_mt end

-- Take out the oldest message that waits, whichever queue holds it.
local function take_oldest(p)
  local best, place
  local function look(q, h)
    local m = q[h]
    if is_message(m) and (not best or rawget(m, 4) < rawget(best, 4)) then best, place = m, q end
  end
  if p.inq and p.inq.h <= p.inq.t then look(p.inq, p.inq.h) end
  if p.subs then
    for _, q in pairs(p.subs) do
      if q.h <= q.t then look(q, q.h) end
    end
  end
  if p.pend and p.pend[1] then look(p.pend, 1) end
  if not best then return nil end
  if place == p.pend then table.remove(place, 1) else channel.pop(place) end
  return best
end

-- A full mailbox. Returns whether the message may still be put, and the error for the sender otherwise.
local function overflow(p, m, remote)
  local how = p.entry.overflow or S.mailbox_overflow
  if how == "drop_oldest" then
    local oldest = take_oldest(p)
    if oldest then
      M.dead_letter(p.pid, rawget(oldest, 1), rawget(oldest, 2), "mailbox full, oldest dropped")
      return true
    end
  elseif how == "fail" and not remote then
    return false, errors.plain("RateLimited", "mailbox of " .. p.pid .. " is full (" .. waiting(p) .. " messages)", true)
  end
  M.dead_letter(p.pid, rawget(m, 1), rawget(m, 2), "mailbox full")
  return false
end

--- Put a message into the mailbox of a living process: value already copied. Returns nothing, or the error for the
--- sender when the mailbox is bounded and full.
local function deliver(p, topic, from, value, n, remote)
  number = number + 1
  local m = setmetatable({topic, from, value, number, n}, message_mt)
  local subs = p.subs
  local q = subs and subs[topic]
  if not q then
    q = p.inq
    if q and byte(topic, 1) == 64 then q = nil end
  end
  local limit = p.limit
  if limit and not (q and q.w) and waiting(p) >= limit then
    local may, err = overflow(p, m, remote)
    if not may then return err end
  end
  if q then
    local t = q.w
    if t and not t.token and not q.ws then   -- the frequent case of `feed`: one coroutine waits, and it alone
      q.w = false
      t.v, t.ok = m, true
      if p.ready or p.queued then
        make_ready(t)
      else
        p.ready = t
        enqueue(p)
      end
      return nil
    end
    feed(q, m)
    local backlog = q.t - q.h
    if backlog >= BACKLOG then
      -- as on the BEAM: who sends to a process that is behind gives way sooner, so that it can catch up
      r.n = r.n - BACKLOG_REDUCTIONS
      if backlog >= WARN_AT - 1 then warn(p) end
    end
    return nil
  end
  local pend = p.pend
  if not pend then
    pend = {}
    p.pend = pend
  end
  local count = #pend + 1
  pend[count] = m
  if count >= WARN_AT then warn(p) end
end
M.deliver = deliver

--- Put an event (EXIT, LINK_DOWN, CANCEL, OUTDATED) where events() finds it; never counted, never dropped.
function M.deliver_event(p, event)
  local q = p.evq
  if not q then
    q = new_queue(0)
    p.evq = q
  end
  feed(q, event)
end

-- Move waiting messages that `wanted` accepts from a list or queue into `into`, in order.
local function move(from_queue, into, wanted)
  local kept, n = {}, 0
  for i = from_queue.h, from_queue.t do
    local m = from_queue[i]
    from_queue[i] = nil
    if wanted(m) then
      into[#into + 1] = m
    else
      n = n + 1
      kept[n] = m
    end
  end
  for i = 1, n do from_queue[i] = kept[i] end
  from_queue.h, from_queue.t = 1, n
end

local function take_pending(p, into, wanted)
  local pend = p.pend
  if not pend then return end
  local kept = {}
  for i = 1, #pend do
    local m = pend[i]
    if wanted(m) then into[#into + 1] = m else kept[#kept + 1] = m end
  end
  p.pend = kept[1] and kept or nil
end

-- in the order of arrival; what is no message comes last
local function by_number(a, b)
  if not is_message(a) then return false end
  if not is_message(b) then return true end
  return rawget(a, 4) < rawget(b, 4)
end

-- Put messages at the right places among those that wait in a queue.
local function merge(q, list)
  for i = q.h, q.t do
    list[#list + 1] = q[i]
    q[i] = nil
  end
  sort(list, by_number)
  q.h, q.t = 1, 0
  for i = 1, #list do feed(q, list[i]) end
end

local function plain_topic(m) return byte(rawget(m, 1), 1) ~= 64 end

--- Tell a process that its code changed; an event that it has not read yet takes in what changed since.
function M.outdated(p, sources)
  local event, q = p.outdated, p.evq
  if event and q then
    for i = q.h, q.t do
      if q[i] == event then
        local known = {}
        for j = 1, #event.sources do known[event.sources[j]] = true end
        for j = 1, #sources do
          if not known[sources[j]] then event.sources[#event.sources + 1] = sources[j] end
        end
        return
      end
    end
  end
  p.outdated = {kind = "pid.outdated", sources = sources}
  M.deliver_event(p, p.outdated)
end

--- The inbox channel of a process; made at the first call.
function M.inbox(p)
  local ch = p.inbox
  if not ch then
    ch = setmetatable({}, channel.mt)
    local q = new_queue(0)
    p.inbox, p.inq = ch, q
    if p.pend then
      local found = {}
      take_pending(p, found, plain_topic)
      merge(q, found)
    end
  end
  return ch
end

--- The events channel of a process; made at the first call.
function M.events(p)
  local ch = p.evch
  if not ch then
    local q = p.evq
    if not q then
      q = new_queue(0)
      p.evq = q
    end
    ch = channel.bind(p, q)
    p.evch = ch
    p.subs = p.subs or {}
  end
  return ch
end

--- Subscribe a queue to a topic; what waits for the topic moves there.
function M.subscribe(p, topic, q)
  local subs = p.subs
  if not subs then
    subs = {}
    p.subs = subs
  end
  subs[topic] = q
  q.topic = topic
  local function same(m) return is_message(m) and rawget(m, 1) == topic end
  local found = {}
  if p.inq then move(p.inq, found, same) end
  take_pending(p, found, same)
  sort(found, by_number)
  for i = 1, #found do feed(q, found[i]) end
end

--- End the subscription of a queue: what its buffer holds can still be received, the rest goes to the inbox.
function M.unsubscribe(p, q)
  p.subs[q.topic] = nil
  q.topic = nil
  if not p.evch and next(p.subs) == nil then p.subs = nil end   -- a subscription less: see the rule of deadlocks
  local rest = {}
  local keep = q.h + (q.cap > 0 and q.cap or 0)
  for i = keep, q.t do
    rest[#rest + 1] = q[i]
    q[i] = nil
  end
  if keep <= q.t then q.t = keep - 1 end
  if p.inq then
    merge(p.inq, rest)
  elseif rest[1] then
    local pend = p.pend or {}
    for i = 1, #rest do pend[#pend + 1] = rest[i] end
    sort(pend, by_number)
    p.pend = pend
  end
  return close_queue(q)
end

--- Gather every unread message again, in the order of arrival, as before the first subscription (upgrade).
function M.unroute(p)
  local all = {}
  local function every() return true end
  take_pending(p, all, every)
  if p.inq then move(p.inq, all, is_message) end
  if p.subs then
    for _, q in pairs(p.subs) do move(q, all, is_message) end
  end
  -- what was handed to a coroutine that has not run since
  local t, more = p.ready, p.more
  while t do
    if is_message(t.v) then all[#all + 1] = t.v end
    t = nil
    if more and more.h <= more.t then
      t = more[more.h]
      more.h = more.h + 1
    end
  end
  sort(all, by_number)
  p.pend = all[1] and all or nil
  p.inbox, p.inq, p.subs, p.evch = false, false, nil, nil
  if p.evq then
    local events = {}
    move(p.evq, events, every)
    p.evq = new_queue(0)
    for i = 1, #events do feed(p.evq, events[i]) end
  end
end

return M
