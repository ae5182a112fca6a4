-- The timers of a VM: a binary heap by deadline, then by the order in which they were set.

local S = require("state")

local M = {}

local heap, n = {}, 0
local sequence = 0
local dead = 0

local function before(a, b)
  if a.at == b.at then return a.seq < b.seq end
  return a.at < b.at
end

local function up(i)
  local item = heap[i]
  while i > 1 do
    local parent = (i - i % 2) / 2
    if before(heap[parent], item) then break end
    heap[i] = heap[parent]
    i = parent
  end
  heap[i] = item
end

local function down(i)
  local item = heap[i]
  while true do
    local child = i * 2
    if child > n then break end
    if child < n and before(heap[child + 1], heap[child]) then child = child + 1 end
    if before(item, heap[child]) then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = item
end

local function pop()
  local top = heap[1]
  heap[1] = heap[n]
  heap[n] = nil
  n = n - 1
  if n > 0 then down(1) end
  return top
end

-- drop the canceled ones when they are most of the heap
local function sweep()
  local kept, m = {}, 0
  for i = 1, n do
    local item = heap[i]
    if item.fn then
      m = m + 1
      kept[m] = item
    end
  end
  heap, n, dead = kept, m, 0
  for i = (n - n % 2) / 2, 1, -1 do down(i) end
end

--- Call fn(a, b) in the kernel `seconds` from now, with process `p` as the current one; not if `p` has ended.
function M.after(seconds, fn, p, a, b)
  if not (seconds >= 0) then seconds = 0 end   -- NaN would put the heap out of order for everybody
  sequence = sequence + 1
  local item = {at = S.now + seconds, seq = sequence, fn = fn, p = p, a = a, b = b}
  n = n + 1
  heap[n] = item
  up(n)
  if p then
    local own = p.timers
    if not own then
      own = {}
      p.timers = own
    end
    own[item] = true
  end
  return item
end

--- Cancel a timer; false when it has fired or was canceled.
function M.cancel(item)
  if not item.fn then return false end
  item.fn = false
  if item.p and item.p.timers then item.p.timers[item] = nil end
  dead = dead + 1
  if dead > 64 and dead * 2 > n then sweep() end
  return true
end

--- Drop all timers of a process that ended.
function M.drop(p)
  local own = p.timers
  if not own then return end
  p.timers = false
  for item in pairs(own) do
    item.fn = false
    dead = dead + 1
  end
  if dead > 64 and dead * 2 > n then sweep() end
end

--- Fire what is due, in order.
function M.fire()
  local now = S.now
  while n > 0 and heap[1].at <= now do
    local item = pop()
    local fn = item.fn
    if fn then
      item.fn = false
      local p = item.p
      if p and p.timers then p.timers[item] = nil end
      if not (p and p.dead) then
        S.current = p or false
        fn(item.a, item.b)
        S.current = false
      end
    else
      dead = dead - 1
    end
  end
end

--- The next deadline in monotonic seconds, or nil.
function M.next()
  while n > 0 and not heap[1].fn do
    pop()
    dead = dead - 1
  end
  return n > 0 and heap[1].at or nil
end

return M
