-- Copying of values between processes (spec lua-api.md §2, processes.md §5): nothing is ever shared.

local object = require("object")
local errors = require("errors")

local dgetmetatable, setmetatable = debug.getmetatable, setmetatable
local next, type, tostring, rawget, rawset = next, type, tostring, rawget, rawset
local new = require("table.new")
local error_mt = errors.mt
local classes = object.classes
local format, concat, loadstring = string.format, table.concat, loadstring

local values = {}

-- the mark of an empty table that is an object (a dict), not a list
local object_mark = {__metatable = false}
values.object_mark = object_mark

-- set by the Payload class: metatable whose instances stand for their content at index 1
values.payload_mt = false

-- the class of a runtime object that became nil in the last copies; whoever copies logs and clears it
values.dropped = false
-- a table of the last deep copy was met twice
values.shared = false

local function dropped(what)
  values.dropped = what
  return nil
end

local function segment(key)
  if type(key) == "string" then return "." .. key end
  return "[" .. tostring(key) .. "]"
end

local copy_deep

-- Find where a value sits for which `wanted(type, class)` holds; only called when there is one.
local function find_path(root, wanted)
  local seen, list, paths = {[root] = true}, {root}, {""}
  local i = 1
  while list[i] do
    local t, path = list[i], paths[i]
    for k, v in next, t do
      for part = 1, 2 do
        local x = v
        if part == 1 then x = k end
        while type(x) == "table" and dgetmetatable(x) == values.payload_mt do x = rawget(x, 1) end
        local below = part == 1 and path .. "[key]" or path .. segment(k)
        local tx = type(x)
        local mt = tx == "table" and dgetmetatable(x)
        local class = mt and classes[mt]
        if wanted(tx, class) then return below, class or tx end
        if mt == error_mt then
          x = rawget(x, 4)
          below = below .. ":details()"
        elseif class then
          x = nil
        end
        if type(x) == "table" and not seen[x] then
          seen[x] = true
          list[#list + 1] = x
          paths[#paths + 1] = below
        end
      end
    end
    i = i + 1
  end
  return "", "value"
end

local function unsendable(t) return t == "function" or t == "thread" or t == "cdata" or t == "userdata" end
local function an_object(_, class) return class and class ~= "error" end

--- The path of the first runtime object in a value, and its class.
function values.find_object(root)
  local path, class = find_path({root}, an_object)
  return string.sub(path, 4), class
end

-- The copy of a table as it begins: empty, filled when its turn in `work` comes. nil for a runtime object that cannot
-- be sent. All that is nested goes through `work`: no chain of tables, errors or payloads may overflow the stack.
local function begin(v, memo, work)
  local made = memo[v]
  if made ~= nil then
    values.shared = true
    return made
  end
  local mt = dgetmetatable(v)
  local class = mt and classes[mt]
  if not class then
    made = mt == object_mark and setmetatable({}, object_mark) or {}
    memo[v] = made
    work[#work + 1] = v
    return made
  end
  if mt == error_mt then
    made = errors.shell(v)
    memo[v] = made
    local details = rawget(v, 4)
    if type(details) == "table" then work[#work + 1] = v end
    return made
  end
  if mt == values.payload_mt then
    local inner = rawget(v, 1)
    while type(inner) == "table" and dgetmetatable(inner) == mt do inner = rawget(inner, 1) end
    if type(inner) == "table" then inner = begin(inner, memo, work) end
    return inner
  end
  return dropped(class)
end

-- Copy a table with everything below it. Returns nil, true when something in it cannot be sent.
function copy_deep(root)
  local memo, work = {}, {}
  local top = begin(root, memo, work)
  if unsendable(type(top)) then return nil, true end
  local n = #work
  while n > 0 do
    local t = work[n]
    work[n] = nil
    n = n - 1
    local o = memo[t]
    if dgetmetatable(t) == error_mt then
      rawset(o, 4, begin(rawget(t, 4), memo, work))
      n = #work
    else
      for k, v in next, t do
        local tk, tv = type(k), type(v)
        if tk == "table" then
          k = begin(k, memo, work)
          tk = type(k)
          n = #work
        end
        if tv == "table" then
          if memo[v] == nil and not dgetmetatable(v) then
            local made = {}
            memo[v] = made
            n = n + 1
            work[n] = v
            v = made
          else
            v = begin(v, memo, work)
            tv = type(v)
            n = #work
          end
        end
        if unsendable(tk) or unsendable(tv) then return nil, true end
        if k ~= nil then o[k] = v end
      end
    end
  end
  return top
end

-- Small tables of plain values are copied by a constructor that is made for their keys: one allocation of the right
-- size instead of an insertion for each key. Their number is bounded, whatever keys scripts invent.
local shapes = {}            -- first key -> {make = constructor, next = {second key -> ...}}
local shape_count = 0
local MAX_SHAPES = 1000

local function constructor(...)
  local keys = {...}
  local params, fields = {}, {}
  for i = 1, #keys do
    params[i] = "v" .. i
    fields[i] = format("[%q]=v%d", keys[i], i)
  end
  return loadstring("return function(" .. concat(params, ",") .. ") return {" .. concat(fields, ",") .. "} end")()
end

-- the shape of a table whose keys begin with those of `parent` and go on with `key`; false when there are too many
local function shape(parent, key, ...)
  if shape_count >= MAX_SHAPES or type(key) ~= "string" or #key > 64 then return false end
  shape_count = shape_count + 1
  local made = {make = constructor(...), next = {}}
  parent[key] = made
  return made
end

local function copy_flat(t)
  local n = #t
  local o = n > 0 and new(n, 0) or new(0, 4)
  for k, v in next, t do
    local tv, tk = type(v), type(k)
    if (tv ~= "number" and tv ~= "string" and tv ~= "boolean") or (tk ~= "string" and tk ~= "number") then
      return copy_deep(t)
    end
    o[k] = v
  end
  return o
end

--- Copy a table. Returns the copy, or nil and true when something in it cannot be sent.
local function copy_table(t)
  if dgetmetatable(t) then return copy_deep(t) end
  local k1, v1 = next(t)
  if k1 == nil then return {} end
  local t1 = type(v1)
  if t1 ~= "string" and t1 ~= "number" and t1 ~= "boolean" then return copy_flat(t) end
  local s1 = shapes[k1] or shape(shapes, k1, k1)
  if not s1 then return copy_flat(t) end
  local k2, v2 = next(t, k1)
  if k2 == nil then return s1.make(v1) end
  local t2 = type(v2)
  if t2 ~= "string" and t2 ~= "number" and t2 ~= "boolean" then return copy_flat(t) end
  local s2 = s1.next[k2] or shape(s1.next, k2, k1, k2)
  if not s2 then return copy_flat(t) end
  local k3, v3 = next(t, k2)
  if k3 == nil then return s2.make(v1, v2) end
  local t3 = type(v3)
  if t3 ~= "string" and t3 ~= "number" and t3 ~= "boolean" then return copy_flat(t) end
  local s3 = s2.next[k3] or shape(s2.next, k3, k1, k2, k3)
  if not s3 or next(t, k3) ~= nil then return copy_flat(t) end
  return s3.make(v1, v2, v3)
end
values.copy_table = copy_table
values.copy_deep = copy_deep

--- Copy any value. Returns the copy, or nil and a message that names the path of what cannot be sent.
function values.copy(v)
  local tv = type(v)
  if tv == "table" then
    local o, bad = copy_table(v)
    if bad then
      values.dropped = false
      local path, kind = find_path({v}, unsendable)
      return nil, format("a %s cannot be sent (at value%s)", kind, string.sub(path, 4))
    end
    return o
  end
  if tv == "function" or tv == "thread" or tv == "cdata" or tv == "userdata" then
    return nil, format("a %s cannot be sent", tv)
  end
  return v
end

--- Copy an error; details that cannot be sent are left out.
function values.copy_error(err)
  return copy_deep(err) or errors.shell(err)
end

return values
