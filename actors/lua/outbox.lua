-- What leaves the VM in this step: records for Python (msgpack), and records for other VMs, one blob for each.
-- Records for Python are arrays that begin with one of the numbers below; actors/vm/wire.py names the same.

local msgpack = require("msgpack")
local buffer = require("string.buffer")
local values = require("values")
local errors = require("errors")

local dgetmetatable, setmetatable = debug.getmetatable, setmetatable
local next, type, pairs = next, type, pairs

local M = {}

M.BLOB, M.REPLY, M.MAIL, M.EVENT, M.DEATH, M.LOG, M.DEAD_LETTER, M.PLACE, M.ASK = 1, 2, 3, 4, 5, 6, 7, 8, 9
-- a table met twice or a cycle, which string.buffer refuses: a list of nodes, references as numbers in a box
local graph_mt = {}
local box_mt = {}

local coder = buffer.new({
  dict = {"kind", "from", "at", "result", "value", "error", "reason", "deadline", "pid.exit", "pid.link.down", "pid.cancel"},
  metatable = {errors.mt, values.object_mark, graph_mt, box_mt},
})

local outgoing = {}   -- VM index -> list of records

function M.to_vm(vm, record)
  local list = outgoing[vm]
  if not list then
    list = {}
    outgoing[vm] = list
  end
  list[#list + 1] = record
end

--- Write down a value of which a table is met twice, so that `restore` can rebuild it as it was.
function M.graph(root)
  local numbers, nodes, work = {[root] = 1}, {}, {root}
  local function ref(v)
    if type(v) ~= "table" then return v end
    local n = numbers[v]
    if not n then
      n = #work + 1
      numbers[v] = n
      work[n] = v
    end
    return setmetatable({n}, box_mt)
  end
  local i = 1
  while work[i] do
    local t = work[i]
    local mt = dgetmetatable(t)
    local node = {mt == errors.mt and 1 or mt == values.object_mark and 2 or 0}
    for k, v in next, t do
      node[#node + 1] = ref(k)
      node[#node + 1] = ref(v)
    end
    nodes[i] = node
    i = i + 1
  end
  return setmetatable(nodes, graph_mt)
end

--- The value of a received record's field.
function M.restore(v)
  if type(v) ~= "table" or dgetmetatable(v) ~= graph_mt then return v end
  local made = {}
  for i = 1, #v do made[i] = {} end
  for i = 1, #v do
    local node, t = v[i], made[i]
    for j = 2, #node, 2 do
      local k, x = node[j], node[j + 1]
      if type(k) == "table" then k = made[k[1]] end
      if type(x) == "table" then x = made[x[1]] end
      t[k] = x
    end
    if node[1] == 1 then setmetatable(t, errors.mt) elseif node[1] == 2 then setmetatable(t, values.object_mark) end
  end
  return made[1]
end

-- string.buffer writes at most 100 levels, those of the record included
local MAX_LEVELS = 60

--- Make a copied value fit for the way to another VM: written down as a graph where string.buffer would refuse it.
--- `tree` tells that no table in it is met twice.
function M.travel(v, tree)
  if type(v) ~= "table" then return v end
  local seen = not tree and {[v] = true}
  local level = {v}
  for _ = 1, MAX_LEVELS do
    local below, n = nil, 0
    for i = 1, #level do
      for k, x in next, level[i] do
        if type(k) == "table" then return M.graph(v) end
        if type(x) == "table" then
          if seen then
            if seen[x] then return M.graph(v) end
            seen[x] = true
          end
          below = below or {}
          n = n + 1
          below[n] = x
        end
      end
    end
    if not below then return v end
    level = below
  end
  return M.graph(v)
end

--- Tell in the log that a runtime object became nil on its way out of a process; `root` is what was copied.
function M.warn_dropped(p, what, root)
  local path, class = values.find_object(root)
  values.dropped = false
  M.log("warn", "process", "a " .. class .. " in " .. what .. " of " .. p.entry.id ..
    " cannot cross to another process: nil was sent (at value" .. path .. ")", {pid = p.pid, entry = p.entry.id})
end

--- Encode records for another VM at once.
function M.encode(list) return coder:reset():encode(list):get() end

--- Move what waits for other VMs into what leaves.
function M.flush()
  for vm, list in pairs(outgoing) do
    local blob = M.encode(list)
    msgpack.array(3)
    msgpack.number(M.BLOB)
    msgpack.number(vm)
    msgpack.bin(blob)
    outgoing[vm] = nil
  end
  return msgpack.take()
end

--- Tell whether anything waits to leave.
function M.pending() return msgpack.mark() > 0 or next(outgoing) ~= nil end

function M.decode_blob(bytes) return coder:reset():set(bytes):decode() end

--- Append a record for Python; its fields must be plain. Nothing is appended when a field cannot cross: its problem
--- is returned.
function M.to_python(n, ...)
  local start = msgpack.mark()
  msgpack.array(n)
  for i = 1, n do
    local problem = msgpack.put((select(i, ...)))
    if problem then
      msgpack.reset(start)
      return problem
    end
  end
end

--- Append a message for a mailbox of Python's: `n` payloads in the list `value`, or one value, nil for none. Its
--- problem is returned as by `to_python`.
function M.mail(to, topic, from, value, n)
  local start = msgpack.mark()
  local problem = M.to_python(5, M.MAIL, to, topic, from, {})
  msgpack.reset(msgpack.mark() - 1)     -- the payloads take the place of the empty list: they may have holes
  if not n then
    msgpack.array(value == nil and 0 or 1)
    if value ~= nil then problem = problem or msgpack.put(value) end
  else
    msgpack.array(n)
    for i = 1, n do problem = problem or msgpack.put(value[i]) end
  end
  if problem then msgpack.reset(start) end
  return problem
end

function M.log(level, logger, message, fields)
  local problem = M.to_python(5, M.LOG, level, logger, message, fields)
  if problem then M.to_python(5, M.LOG, level, logger, message, {problem = problem}) end
  values.dropped = false
end

return M
