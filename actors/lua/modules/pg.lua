-- The module `pg` (spec lua-api.md §21, processes.md §11): process groups. Python keeps them; the door answers at once.

local S = require("state")
local errors = require("errors")
local feeds = require("feeds")
local loader = require("loader")
local msgpack = require("msgpack")
local object = require("object")
local process = require("process")
local scheduler = require("scheduler")
local values = require("values")

local type, rawget, rawset, setmetatable, error = type, rawget, rawset, setmetatable, error
local select, unpack, ipairs, byte = select, unpack, ipairs, string.byte

local function named(v) return v == nil and "nil" or object.type(v) end

return function(rt)
  local methods, sub_methods = {}, {}
  local mt = object.class("pg instance", methods)               -- {scope id, released}
  local sub_mt = object.class("subscription", sub_methods)      -- {number, channel}

  -- one operation of the running process in a scope: result, or nil and an error
  local function ask(operation, scope, arguments)
    local packed = arguments ~= nil and msgpack.encode(arguments) or "\192"
    local answer, kind, message = rt.door("pg", operation, scope, S.current.pid, packed)
    if not answer then
      return nil, errors.make(kind, "pg: " .. message, (kind == "RateLimited" or kind == "Unavailable") or nil)
    end
    return msgpack.decode(answer)
  end

  -- the scope of an instance, or nil and the error of a released one
  local function scope_of(self, where)
    if not object.is(self, mt) then
      error("bad argument #1 to '" .. where .. "' (pg instance expected, got " .. named(self) .. ")", 3)
    end
    local scope = rawget(self, 1)
    if rawget(self, 2) or type(scope) ~= "string" then return rt.invalid("pg instance is released") end
    return scope
  end

  -- a group's name, or nil and an error
  local function group(name)
    if type(name) ~= "string" then return rt.invalid("pg: the group must be a string, got " .. named(name)) end
    if name == "" then return rt.invalid("pg: the group must not be empty") end
    return name
  end

  local function groups(list)
    if type(list) == "string" then list = {list} end
    if type(list) ~= "table" or object.class_of(list) then
      return rt.invalid("pg: a group or a list of groups expected, got " .. named(list))
    end
    local names = {}
    for i, name in ipairs(list) do
      local checked, err = group(name)
      if not checked then return nil, err end
      names[i] = checked
    end
    if not names[1] then return rt.invalid("pg: the list of groups is empty") end
    return names
  end

  local function change(operation)
    methods[operation] = function(self, list)
      local scope, err = scope_of(self, operation)
      if not scope then return nil, err end
      local names, problem = groups(list)
      if not names then return nil, problem end
      feeds.note_member()
      local done, refused = ask(operation, scope, names)
      scheduler.switch()
      return done, refused
    end
  end

  --- Make the calling process a member: once more for each call.
  change("join")
  --- Take back one join for each name.
  change("leave")

  local function members(where)
    return function(self, name)
      local scope, err = scope_of(self, where)
      if not scope then return nil, err end
      local checked, problem = group(name)
      if not checked then return nil, problem end
      return ask("members", scope, checked)
    end
  end
  methods.get_members = members("get_members")
  methods.get_local_members = members("get_local_members")

  local function which(where)
    return function(self)
      local scope, err = scope_of(self, where)
      if not scope then return nil, err end
      return ask("which", scope)
    end
  end
  methods.which_groups = which("which_groups")
  methods.which_local_groups = which("which_local_groups")

  local function broadcast(where)
    return function(self, name, topic, ...)
      local scope, err = scope_of(self, where)
      if not scope then return nil, err end
      local checked, problem = group(name)
      if not checked then return nil, problem end
      if type(topic) ~= "string" then return rt.invalid("pg: the topic must be a string, got " .. named(topic)) end
      if topic == "" then return rt.invalid("pg: the topic must not be empty") end
      if byte(topic, 1) == 64 then return rt.invalid("cannot send to @ topics: '" .. topic .. "'") end
      local n = select("#", ...)
      local payload, count, bad = process.payload_of((...), select(2, ...))
      if bad then return rt.invalid("pg: cannot send '" .. topic .. "': " .. bad) end
      if values.dropped then process.warn_dropped("message '" .. topic .. "'", n == 1 and (...) or {...}) end
      local list, refused = ask("members", scope, checked)
      if not list then return nil, refused end
      local send = process.api.send
      for i = 1, #list do
        if count then send(list[i], topic, unpack(payload, 1, count))
        elseif payload ~= nil then send(list[i], topic, payload)
        else send(list[i], topic) end
      end
      return true
    end
  end
  --- Send a message to every membership, as single sends of the caller; who cannot be reached is left out.
  methods.broadcast = broadcast("broadcast")
  methods.broadcast_local = broadcast("broadcast_local")

  -- a subscription to one group, or to all: it, what is there now, error
  local function listen(scope, name)
    local number, ch = feeds.open(function(number, pid)
      loader.door("pg", "forget", scope, pid, (msgpack.encode(number)))
    end)
    feeds.note_member()
    local found, err = ask("monitor", scope, {number = number, group = name})
    if not found then
      feeds.close(number)
      return nil, nil, err
    end
    return setmetatable({number, ch}, sub_mt), found
  end

  function methods.monitor(self, name)
    local scope, err = scope_of(self, "monitor")
    if not scope then return nil, nil, err end
    local checked, problem = group(name)
    if not checked then return nil, nil, problem end
    return listen(scope, checked)
  end

  function methods.events(self)
    local scope, err = scope_of(self, "events")
    if not scope then return nil, nil, err end
    return listen(scope)
  end

  --- End this handle only: memberships and subscriptions stay.
  function methods.release(self)
    if not object.is(self, mt) then
      error("bad argument #1 to 'release' (pg instance expected, got " .. named(self) .. ")", 2)
    end
    rawset(self, 2, true)
    return true
  end

  local function own(self, where)
    if not object.is(self, sub_mt) then
      error("bad argument #1 to '" .. where .. "' (subscription expected, got " .. named(self) .. ")", 3)
    end
    return rawget(self, 1), rawget(self, 2)
  end

  function sub_methods.channel(self)
    local _, ch = own(self, "channel")
    return ch
  end

  function sub_methods.close(self, options)
    local number = own(self, "close")
    feeds.close(number, type(options) == "table" and rawget(options, "flush") == true)
    scheduler.switch()
    return true
  end

  local pg = {}

  function pg.open(id)
    if type(id) ~= "string" then
      error("bad argument #1 to 'open' (string expected, got " .. named(id) .. ")", 2)
    end
    if id == "" then return rt.invalid("pg.open: the id of the scope must not be empty") end
    local kind, wrong, message = rt.door("kind", id)
    if not kind then return nil, errors.make("Internal", "pg.open: " .. message, nil, {cause = wrong}) end
    if kind ~= "pg.scope" then return rt.invalid("pg.open: " .. id .. " is a " .. kind .. ", not a pg.scope") end
    local ok, err = ask("open", id)
    if not ok then return nil, err end
    return setmetatable({id, false}, mt)
  end

  return pg
end
