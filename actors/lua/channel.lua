-- Channels between coroutines of one process (spec lua-api.md §5), and the queues that feed them.
-- A channel is an empty object; its queue is the kernel's, found through the process that owns it.
-- Queue: items at [h..t]; w / ws receivers that wait, ss senders that wait; cap, closed;
-- raw: its items are messages of which a receiver sees the plain payload.

local S = require("state")
local object = require("object")
local scheduler = require("scheduler")

local make_ready, may_block = scheduler.make_ready, scheduler.may_block
local setmetatable, type, error, rawget = setmetatable, type, error, rawget
local co_yield, WAIT = coroutine.yield, S.WAIT
local dgetmetatable, message_mt = debug.getmetatable, require("message").mt
local remove = table.remove

local M = {}
local NIL = setmetatable({}, {__tostring = function() return "nil" end})
local weak_keys = {__mode = "k"}

local methods = {}
local mt = object.class("channel", methods)
local case_methods = {}
local case_mt = object.class("channel case", case_methods)
M.mt = mt

local function new_queue(cap)
  return {h = 1, t = 0, w = false, cap = cap}
end
M.new_queue = new_queue

--- Bind a new channel object to `queue` in process `p`.
function M.bind(p, queue)
  local ch = setmetatable({}, mt)
  local chans = p.chans
  if not chans then
    chans = setmetatable({}, weak_keys)
    p.chans = chans
  end
  chans[ch] = queue
  return ch
end

local function queue_of(ch, where)
  local p = S.current
  if ch == p.inbox then return p.inq end
  local chans = p.chans
  local q = chans and chans[ch]
  if q then return q end
  if not object.is(ch, mt) then
    error("bad argument #1 to '" .. where .. "' (channel expected, got " .. object.type(ch) .. ")", 3)
  end
  error("the channel belongs to another process", 3)
end
M.queue_of = queue_of

local function push(q, v)
  local t = q.t + 1
  q[t] = v
  q.t = t
  local h = q.h
  if h > 32 and h + h > t then
    for i = h, t do
      q[i - h + 1] = q[i]
      q[i] = nil
    end
    q.h, q.t = 1, t - h + 1
  end
end
M.push = push

local function pop(q)
  local h = q.h
  local v = q[h]
  q[h] = nil
  if h == q.t then q.h, q.t = 1, 0 else q.h = h + 1 end
  return v
end
M.pop = pop

-- the first receiver that still waits, taken off the queue; nil if none
local function take_waiter(q)
  while true do
    local w = q.w
    if not w then return nil end
    local ws = q.ws
    if ws and ws[1] then q.w = remove(ws, 1) else q.w = false end
    local token = w.token
    if not (token and token.done) then return w end
  end
end

local function give(w, v, ok)
  local token = w.token
  if token then
    token.done = true
    local t = w.thread
    t.case = w.index
    t.v, t.ok = v, ok
    make_ready(t)
  else
    w.v, w.ok = v, ok
    make_ready(w)
  end
end

local function wait_on(q, w)
  if not q.w then
    q.w = w
  else
    local ws = q.ws
    if not ws then
      ws = {}
      q.ws = ws
    end
    ws[#ws + 1] = w
  end
end

--- Hand `v` to a waiting receiver, else queue it whatever the capacity.
function M.feed(q, v)
  local w = q.w
  if w then
    w = take_waiter(q)
    if w then return give(w, v, true) end
  end
  push(q, v)
end

-- what the receiver sees of an item
local function shown(q, v)
  if q.raw then
    if type(v) == "table" and dgetmetatable(v) == message_mt then
      local n = rawget(v, 5)
      local value = rawget(v, 3)
      if n and n ~= 1 then return n > 0 and value or nil end
      return value
    end
  end
  if v == NIL then return nil end
  return v
end

-- the first sender that still waits; nil if none
local function take_sender(q)
  local ss = q.ss
  while ss and ss[1] do
    local s = remove(ss, 1)
    local token = s.token
    if not (token and token.done) then return s end
  end
  return nil
end

local function release_sender(s)
  local token = s.token
  if token then
    token.done = true
    s.thread.case = s.index
  end
  s.thread.v, s.thread.ok = s.value, true
  make_ready(s.thread)
end

-- Take an item that is there. Returns found, value.
local function take_now(q)
  if q.h <= q.t then
    local v = pop(q)
    if q.ss then
      local s = take_sender(q)
      if s then
        push(q, s.value)
        release_sender(s)
      end
    end
    return true, v
  end
  if q.ss then
    local s = take_sender(q)
    if s then
      local v = s.value
      release_sender(s)
      return true, v
    end
  end
  return false
end

function methods.receive(self)
  local p = S.current
  local q
  if self == p.inbox then
    q = p.inq
    local h = q.h
    if h <= q.t then
      local v = q[h]
      q[h] = nil
      if h == q.t then q.h, q.t = 1, 0 else q.h = h + 1 end
      return v, true
    end
    if q.closed then return nil, false end
  else
    q = queue_of(self, "receive")
    local found, v = take_now(q)
    if found then return shown(q, v), true end
    if q.closed then return nil, false end
  end
  if S.careful > 0 or p.nests then may_block() end
  local t = S.thread
  if q.w then wait_on(q, t) else q.w = t end
  co_yield(WAIT)
  local v = t.v
  t.v = nil
  if not t.ok then return nil, false end
  if v == NIL or q.raw then return shown(q, v), true end
  return v, true
end

function methods.send(self, value)
  local q = queue_of(self, "send")
  if q.closed then error("send on closed channel", 2) end
  if value == nil then value = NIL end
  local w = take_waiter(q)
  if w then
    give(w, value, true)
    return true
  end
  if q.t - q.h + 1 < q.cap then
    push(q, value)
    return true
  end
  may_block()
  local t = S.thread
  local ss = q.ss
  if not ss then
    ss = {}
    q.ss = ss
  end
  ss[#ss + 1] = {thread = t, value = value}
  co_yield(WAIT)
  t.v = nil
  if not t.ok then error("send on closed channel", 2) end
  return true
end

--- Close a queue; returns whether anybody was woken.
local function close_queue(q)
  if q.closed then return false end
  q.closed = true
  local woken = false
  while true do
    local w = take_waiter(q)
    if not w then break end
    give(w, nil, false)
    woken = true
  end
  while true do
    local s = take_sender(q)
    if not s then break end
    local token = s.token
    if token then
      token.done = true
      s.thread.case = s.index
    end
    s.thread.v, s.thread.ok = nil, false
    make_ready(s.thread)
    woken = true
  end
  return woken
end
M.close_queue = close_queue

function methods.close(self)
  local q = queue_of(self, "close")
  if close_queue(q) then scheduler.switch() end
end

function methods.case_receive(self)
  queue_of(self, "case_receive")
  return setmetatable({self}, case_mt)
end

function methods.case_send(self, value)
  queue_of(self, "case_send")
  return setmetatable({self, true, value}, case_mt)
end

-- Take waiting registrations of a select off a queue.
local function forget(q, token)
  if q.w and q.w.token == token then
    local ws = q.ws
    if ws and ws[1] then q.w = remove(ws, 1) else q.w = false end
    return forget(q, token)
  end
  local ws = q.ws
  if ws then
    for i = #ws, 1, -1 do
      if ws[i].token == token then remove(ws, i) end
    end
  end
  local ss = q.ss
  if ss then
    for i = #ss, 1, -1 do
      if ss[i].token == token then remove(ss, i) end
    end
  end
end

local function chosen(ch, q, is_send, value, ok)
  if is_send then return {channel = ch, value = value, ok = true} end
  if ok then value = shown(q, value) end
  return {channel = ch, value = value, ok = ok}
end

function M.select(cases, default)
  if type(cases) ~= "table" or object.class_of(cases) then
    error("bad argument #1 to 'select' (table expected, got " .. object.type(cases) .. ")", 2)
  end
  if default == nil then default = rawget(cases, "default") end
  local n = #cases
  local queues = {}
  for i = 1, n do
    local c = cases[i]
    if not object.is(c, case_mt) then
      error("bad case #" .. i .. " in 'select' (channel case expected, got " .. object.type(c) .. ")", 2)
    end
  end
  for i = 1, n do
    local c = cases[i]
    local ch = rawget(c, 1)
    local q = queue_of(ch, "select")
    queues[i] = q
    if rawget(c, 2) then
      if q.closed then error("send on closed channel", 2) end
      local value = rawget(c, 3)
      local w = take_waiter(q)
      if w then
        give(w, value == nil and NIL or value, true)
        return chosen(ch, q, true, value, true)
      end
      if q.t - q.h + 1 < q.cap then
        push(q, value == nil and NIL or value)
        return chosen(ch, q, true, value, true)
      end
    else
      local found, v = take_now(q)
      if found then return chosen(ch, q, false, v, true) end
      if q.closed then return chosen(ch, q, false, nil, false) end
    end
  end
  if default then return {default = true, ok = true} end
  may_block()
  local t = S.thread
  local token = {done = false}
  for i = 1, n do
    local c, q = cases[i], queues[i]
    if rawget(c, 2) then
      local ss = q.ss
      if not ss then
        ss = {}
        q.ss = ss
      end
      local value = rawget(c, 3)
      ss[#ss + 1] = {thread = t, value = value == nil and NIL or value, token = token, index = i}
    else
      wait_on(q, {thread = t, token = token, index = i})
    end
  end
  -- the cases may be changed by others while this waits: keep what is needed
  local channels, sends, values = {}, {}, {}
  for i = 1, n do
    local c = cases[i]
    channels[i], sends[i], values[i] = rawget(c, 1), rawget(c, 2) or false, rawget(c, 3)
  end
  co_yield(WAIT)
  for i = 1, n do forget(queues[i], token) end
  local i, v, ok = t.case, t.v, t.ok
  t.v = nil
  if sends[i] and not ok then error("send on closed channel", 2) end
  return chosen(channels[i], queues[i], sends[i], sends[i] and values[i] or v, ok)
end

--- For the runtime's modules: put a value without waiting. False when the channel is closed or full.
function M.offer(ch, value)
  local q = queue_of(ch, "offer")
  if q.closed then return false end
  if value == nil then value = NIL end
  local w = take_waiter(q)
  if w then
    give(w, value, true)
    return true
  end
  if q.t - q.h + 1 >= q.cap then return false end
  push(q, value)
  return true
end

function M.close(ch) close_queue(queue_of(ch, "close")) end

function M.new(size)
  local cap = 0
  if size ~= nil then
    if type(size) ~= "number" then
      error("bad argument #1 to 'new' (number expected, got " .. object.type(size) .. ")", 2)
    end
    if size > 0 then cap = size - size % 1 end
  end
  return M.bind(S.current, new_queue(cap))
end

M.api = {new = M.new, select = M.select}

return M
