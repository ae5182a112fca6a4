-- Classes of runtime objects: tables with a locked metatable, which scripts see as userdata (spec lua-api.md OP-24).
-- What such a table holds is open to rawget and rawset: nothing of the kernel's may be reachable through it.

local dgetmetatable, setmetatable, rawtype, pairs = debug.getmetatable, setmetatable, type, pairs
local error = error

local object = {}

local classes = {}   -- metatable -> class name
local frozen = setmetatable({}, {__mode = "k"})   -- read-only library tables

--- Make a class: a metatable whose instances scripts can neither inspect nor change by metatable.
function object.class(name, methods, meta)
  local mt = {}
  for k, v in pairs(meta or {}) do mt[k] = v end
  mt.__index = mt.__index or methods
  mt.__metatable = false
  mt.__newindex = mt.__newindex or function(_, key)
    error("cannot set field '" .. tostring(key) .. "' of a " .. name, 2)
  end
  mt.__tostring = mt.__tostring or function() return name end
  classes[mt] = name
  return mt
end

--- The class name of a runtime object, nil for every other value.
function object.class_of(v)
  if rawtype(v) ~= "table" then return nil end
  local mt = dgetmetatable(v)
  return mt and classes[mt]
end

--- Tell whether `v` is an instance of the class with metatable `mt`.
function object.is(v, mt)
  return rawtype(v) == "table" and dgetmetatable(v) == mt
end

object.classes = classes

--- The `type` that scripts see: "userdata" for runtime objects.
function object.type(...)
  local v = ...
  local t = rawtype(...)
  if t == "table" then
    local mt = dgetmetatable(v)
    if mt and classes[mt] then return "userdata" end
  end
  return t
end

--- A read-only face of a library table, shared by all processes of the VM.
function object.freeze(library, name)
  local face = setmetatable({}, {
    __index = library,
    __newindex = function(_, key)
      error("attempt to change '" .. tostring(key) .. "' of the read-only table '" .. name .. "'", 2)
    end,
    __metatable = false,
    __tostring = function() return "module " .. name end,
  })
  frozen[face] = name
  return face
end

--- The name of a frozen table, nil for every other value; what writes raw must ask.
function object.frozen_name(t) return frozen[t] end

return object
