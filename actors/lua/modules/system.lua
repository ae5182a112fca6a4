-- The module `system` (spec lua-api.md §25): the program that runs, seen from inside.

local S = require("state")
local object = require("object")
local errors = require("errors")
local msgpack = require("msgpack")
local outbox = require("outbox")

local type, error, floor, collectgarbage = type, error, math.floor, collectgarbage
local EXIT = 21

return function(rt)
  -- the answers are facts of the moment: the door reads them from records that others keep
  local function ask(...)
    local packed, kind, message = rt.door("system", ...)
    if not packed then return nil, errors.make(kind, message) end
    return msgpack.decode(packed)
  end

  local function id_of(v, where)
    if type(v) ~= "string" then
      error("bad argument #1 to '" .. where .. "' (string expected, got " .. (v == nil and "no value" or object.type(v)) .. ")", 3)
    end
    return v
  end

  local system = {}

  --- End the program, gracefully, with an exit code.
  function system.exit(code)
    if code == nil then code = 0 end
    if type(code) ~= "number" then
      error("bad argument #1 to 'exit' (number expected, got " .. object.type(code) .. ")", 2)
    end
    outbox.to_python(2, EXIT, code)
    return true
  end

  function system.modules() return ask("modules") end

  system.supervisor = object.freeze({
    state = function(id) return ask("service", id_of(id, "state")) end,
    states = function() return ask("services") end,
  }, "system.supervisor")

  system.process = object.freeze({
    pid = function() return ask("pid") end,
    hostname = function() return ask("hostname") end,
    hosts = function() return ask("hosts") end,
    processes = function(host) return ask("processes", id_of(host, "processes")) end,
  }, "system.process")

  system.runtime = object.freeze({
    cpu_count = function() return ask("cpu_count") end,
  }, "system.runtime")

  system.memory = object.freeze({
    stats = function()
      local stats, err = ask("memory")
      if not stats then return nil, err end
      stats.alloc = floor(collectgarbage("count") * 1024)
      return stats
    end,
  }, "system.memory")

  system.node = object.freeze({
    id = function() return S.node end,
  }, "system.node")

  return system
end
