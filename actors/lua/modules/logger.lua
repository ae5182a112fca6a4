-- The module `logger` (spec lua-api.md §12): records go to Python's logging.

local object = require("object")
local errors = require("errors")

local type, pairs, setmetatable, rawget, error, tostring = type, pairs, setmetatable, rawget, error, tostring

return function(rt)
  local methods = {}
  local mt = object.class("logger", methods)   -- {name, fields}

  local function own(self, where)
    if not object.is(self, mt) then
      error("bad argument #1 to '" .. where .. "' (logger expected, got " .. object.type(self) .. ")", 3)
    end
    return rawget(self, 1) or "", rawget(self, 2)
  end

  local function add(into, fields)
    for k, v in pairs(fields) do
      if k == "error" and errors.is_error(v) then
        into.error, into.error_kind, into.error_stack = tostring(v), v:kind(), v:stack()
      else
        local tv = type(v)
        if tv == "table" and object.class_of(v) then v = tostring(v) elseif tv == "function" or tv == "thread" then v = tostring(v) end
        into[tostring(k)] = v
      end
    end
  end

  for _, level in pairs({"debug", "info", "warn", "error"}) do
    methods[level] = function(self, message, fields)
      local name, kept = own(self, level)
      if type(message) ~= "string" then
        if errors.is_error(message) or type(message) == "number" then message = tostring(message) else
          error("bad argument #1 to '" .. level .. "' (string expected, got " .. object.type(message) .. ")", 2)
        end
      end
      local all = {}
      if kept then add(all, kept) end
      if type(fields) == "table" and not object.class_of(fields) then add(all, fields) end
      rt.log(level, message, all, name, 2)
    end
  end

  methods["with"] = function(self, fields)
    local name, kept = own(self, "with")
    local all = {}
    if type(kept) == "table" then for k, v in pairs(kept) do all[k] = v end end
    if type(fields) == "table" and not object.class_of(fields) then for k, v in pairs(fields) do all[k] = v end end
    return setmetatable({name, all}, mt)
  end

  function methods.named(self, name)
    local prefix, kept = own(self, "named")
    if type(name) ~= "string" then
      error("bad argument #1 to 'named' (string expected, got " .. object.type(name) .. ")", 2)
    end
    if name == "" then error("logger:named: the name must not be empty", 2) end
    return setmetatable({prefix ~= "" and prefix .. "." .. name or name, kept}, mt)
  end

  return setmetatable({"", nil}, mt)
end
