-- Copying of values between processes (spec lua-api.md §2, processes.md §5): nothing is ever shared.

local object = require("object")
local errors = require("errors")

local dgetmetatable, setmetatable = debug.getmetatable, setmetatable
local next, type, tostring = next, type, tostring
local new = require("table.new")
local error_mt = errors.mt
local classes = object.classes
local format = string.format

local values = {}

-- the mark of an empty table that is an object (a dict), not a list
local object_mark = {__metatable = false}
values.object_mark = object_mark

-- set by the Payload class: metatable whose instances stand for their content at index 1
values.payload_mt = false

-- paths of runtime objects that became nil in the last copies; the kernel logs and clears it
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

-- Find where a value that cannot be sent sits; only called when there is one.
local function find_path(root)
  local seen, list, paths = {[root] = true}, {root}, {""}
  local i = 1
  while list[i] do
    local t, path = list[i], paths[i]
    for k, v in next, t do
      local tk, tv = type(k), type(v)
      if tk == "function" or tk == "thread" or tk == "cdata" then return path .. "[key]", tk end
      if tv == "function" or tv == "thread" or tv == "cdata" then return path .. segment(k), tv end
      if tv == "table" and not seen[v] then
        local mt = dgetmetatable(v)
        if not (mt and classes[mt]) then
          seen[v] = true
          list[#list + 1] = v
          paths[#paths + 1] = path .. segment(k)
        end
      end
    end
    i = i + 1
  end
  return "", "value"
end

local copy_deep

-- Copy a runtime object, or say that it is an ordinary table with a metatable (second result true).
local function copy_object(v, mt, memo)
  if mt == error_mt then return errors.copy(v, copy_deep), false end
  if mt == values.payload_mt then
    local inner = v[1]
    if type(inner) == "table" then return copy_deep(inner, memo), false end
    return inner, false
  end
  if classes[mt] then return dropped(classes[mt]), false end
  return nil, true
end

-- Copy a table with everything below it. Iterative: a long chain must not overflow the stack.
-- Returns nil, true when something in it cannot be sent.
function copy_deep(root, memo)
  memo = memo or {}
  local known = memo[root]
  if known ~= nil then
    values.shared = true
    return known
  end
  local mt = dgetmetatable(root)
  if mt then
    local made, plain = copy_object(root, mt, memo)
    if not plain then return made end
  end
  local top = {}
  if mt == object_mark then setmetatable(top, object_mark) end
  memo[root] = top
  local work, n = {root}, 1
  while n > 0 do
    local t = work[n]
    work[n] = nil
    n = n - 1
    local o = memo[t]
    for k, v in next, t do
      local tk, tv = type(k), type(v)
      if tk == "table" then
        local copied, bad = copy_deep(k, memo)
        if bad then return nil, true end
        k = copied
      elseif tk == "function" or tk == "thread" or tk == "cdata" or tk == "userdata" then
        return nil, true
      end
      if tv == "table" then
        local found = memo[v]
        if found ~= nil then
          values.shared = true
          v = found
        else
          local vmt = dgetmetatable(v)
          local plain = true
          local made
          if vmt then made, plain = copy_object(v, vmt, memo) end
          if plain then
            made = {}
            if vmt == object_mark then setmetatable(made, object_mark) end
            memo[v] = made
            n = n + 1
            work[n] = v
          elseif made ~= nil then
            memo[v] = made
          end
          v = made
        end
      elseif tv == "function" or tv == "thread" or tv == "cdata" or tv == "userdata" then
        return nil, true
      end
      if k ~= nil then o[k] = v end
    end
  end
  return top
end

--- Copy a table. Returns the copy, or nil and true when something in it cannot be sent.
local function copy_table(t)
  if dgetmetatable(t) then return copy_deep(t) end
  local o = new(0, 4)
  for k, v in next, t do
    local tv, tk = type(v), type(k)
    if (tv ~= "number" and tv ~= "string" and tv ~= "boolean") or (tk ~= "string" and tk ~= "number") then
      return copy_deep(t)
    end
    o[k] = v
  end
  return o
end
values.copy_table = copy_table
values.copy_deep = copy_deep

--- Copy any value. Returns the copy, or nil and a message that names the path of what cannot be sent.
function values.copy(v)
  local tv = type(v)
  if tv == "table" then
    local o, bad = copy_table(v)
    if bad then
      local path, kind = find_path(v)
      return nil, format("a %s cannot be sent (at value%s)", kind, path)
    end
    return o
  end
  if tv == "function" or tv == "thread" or tv == "cdata" or tv == "userdata" then
    return nil, format("a %s cannot be sent", tv)
  end
  return v
end

values.find_path = find_path

return values
