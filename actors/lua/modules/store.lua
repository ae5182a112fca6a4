-- The module `store` (spec lua-api.md §22): keys and values of a store. Values are kept as the kernels write them, so
-- that cycles, errors and empty objects come back as they were.

local errors = require("errors")
local msgpack = require("msgpack")
local object = require("object")
local outbox = require("outbox")
local S = require("state")
local values = require("values")

local type, rawget, rawset, setmetatable, error, tonumber = type, rawget, rawset, setmetatable, error, tonumber
local floor = math.floor

local MOST = 1000

local function named(v) return v == nil and "nil" or object.type(v) end

return function(rt)
  local methods = {}
  local mt = object.class("store", methods)   -- {id, released}

  local function ask(operation, id, key, arguments, value)
    local answer, kind, message = rt.door("store", operation, id, key, arguments and msgpack.encode(arguments) or "", value or "")
    if not answer then
      return nil, errors.make(kind, "store: " .. message, (kind == "Conflict" or kind == "Unavailable") or nil)
    end
    return answer
  end

  local function read(bytes) return outbox.restore(outbox.decode_blob(bytes)[1]) end

  -- the id of a store and the checked key; nil and an error otherwise
  local function of(self, where, key, any_key)
    if not object.is(self, mt) then
      error("bad argument #1 to '" .. where .. "' (store expected, got " .. named(self) .. ")", 3)
    end
    local id = rawget(self, 1)
    if rawget(self, 2) or type(id) ~= "string" then return rt.invalid("the store is released") end
    if not any_key then
      if type(key) ~= "string" then return rt.invalid("store:" .. where .. ": the key must be a string, got " .. named(key)) end
      if key == "" then return rt.invalid("store:" .. where .. ": the key must not be empty") end
    end
    return id
  end

  --- The value of a key.
  function methods.get(self, key)
    local id, err = of(self, "get", key)
    if not id then return nil, err end
    local bytes, refused = ask("get", id, key)
    if not bytes then return nil, refused end
    return read(bytes)
  end

  function methods.has(self, key)
    local id, err = of(self, "has", key)
    if not id then return nil, err end
    local found, refused = ask("has", id, key)
    if not found then return nil, refused end
    return found == "1"
  end

  --- Remove a key; tells whether it was there.
  function methods.delete(self, key)
    local id, err = of(self, "delete", key)
    if not id then return nil, err end
    local found, refused = ask("delete", id, key)
    if not found then return nil, refused end
    return found == "1"
  end

  -- a time to live in seconds, or nil and an error
  local function seconds(ttl)
    if type(ttl) ~= "number" or not (ttl > 0 and ttl < math.huge) then
      return rt.invalid("store: the time to live must be a number of seconds above 0")
    end
    return ttl
  end

  local function put(id, key, value, options)
    if value == nil then return rt.invalid("store: a value is required; delete() removes a key") end
    local copied, problem = values.copy(value)
    if problem then return rt.invalid("store: " .. problem) end
    if values.dropped then outbox.warn_dropped(S.current, "the store's key '" .. key .. "'", value) end
    if copied == nil then return rt.invalid("store: a " .. object.class_of(value) .. " cannot be stored") end
    local version, refused = ask("put", id, key, options, outbox.encode({outbox.travel(copied)}))
    if not version then return nil, refused end
    return {key = key, value = copied, version = tonumber(version)}
  end

  --- Keep a value, for `ttl` seconds if given.
  function methods.set(self, key, value, ttl)
    local id, err = of(self, "set", key)
    if not id then return nil, err end
    local options = {}
    if ttl ~= nil then
      options.ttl, err = seconds(ttl)
      if err then return nil, err end
    end
    local entry, refused = put(id, key, value, options)
    if not entry then return nil, refused end
    return true
  end

  --- Keep a value under conditions {ttl, only_if_absent, if_version}. Returns {key, value, version}.
  function methods.put(self, key, value, options)
    local id, err = of(self, "put", key)
    if not id then return nil, err end
    local checked = {}
    if options ~= nil then
      if type(options) ~= "table" or object.class_of(options) then
        return rt.invalid("store:put: the options must be a table, got " .. named(options))
      end
      local ttl, absent, version = rawget(options, "ttl"), rawget(options, "only_if_absent"), rawget(options, "if_version")
      if ttl ~= nil then
        checked.ttl, err = seconds(ttl)
        if err then return nil, err end
      end
      if absent ~= nil and type(absent) ~= "boolean" then return rt.invalid("store:put: only_if_absent must be a boolean") end
      if version ~= nil and type(version) ~= "number" then return rt.invalid("store:put: if_version must be a number") end
      checked.only_if_absent, checked.if_version = absent, version
    end
    return put(id, key, value, checked)
  end

  function methods.entry(self, key)
    local id, err = of(self, "entry", key)
    if not id then return nil, err end
    local packed, refused = ask("entry", id, key)
    if not packed then return nil, refused end
    local found = msgpack.decode(packed)
    return {key = key, value = read(found[2]), version = found[1]}
  end

  --- The entries of a page {prefix, after, limit}, in key order: {items, cursor, has_more}.
  function methods.list(self, options)
    local id, err = of(self, "list", nil, true)
    if not id then return nil, err end
    if options == nil then options = {} end
    if type(options) ~= "table" or object.class_of(options) then
      return rt.invalid("store:list: the options must be a table, got " .. named(options))
    end
    local prefix, after, limit = rawget(options, "prefix"), rawget(options, "after"), rawget(options, "limit")
    if prefix ~= nil and type(prefix) ~= "string" then return rt.invalid("store:list: the prefix must be a string, got " .. named(prefix)) end
    if after ~= nil and type(after) ~= "string" then return rt.invalid("store:list: after must be a key, got " .. named(after)) end
    if limit ~= nil and (type(limit) ~= "number" or limit ~= floor(limit) or limit < 1 or limit > MOST) then
      return rt.invalid("store:list: the limit must be a whole number from 1 to " .. MOST)
    end
    local packed, refused = ask("list", id, prefix or "", {after = after, limit = limit})
    if not packed then return nil, refused end
    local page = msgpack.decode(packed)
    local items = {}
    for i = 1, #page.items do
      local item = page.items[i]
      items[i] = {key = item[1], value = read(item[3]), version = item[2]}
    end
    local final = items[#items]
    return {items = items, cursor = final and final.key or after, has_more = page.more}
  end

  --- What there is to know about the store: {id, backend, consistency, size, max_size}.
  function methods.info(self)
    local id, err = of(self, "info", nil, true)
    if not id then return nil, err end
    local packed, refused = ask("info", id, "")
    if not packed then return nil, refused end
    local info = msgpack.decode(packed)
    info.id, info.backend, info.consistency = id, "memory", "strong"
    return info
  end

  --- End this handle; every method but this one gives Invalid afterwards.
  function methods.release(self)
    if not object.is(self, mt) then
      error("bad argument #1 to 'release' (store expected, got " .. named(self) .. ")", 2)
    end
    rawset(self, 2, true)
    return true
  end

  local store = {
    backend = object.freeze({MEMORY = "memory", SQL = "sql", KV = "kv"}, "store.backend"),
    consistency = object.freeze({LOCAL = "local", EVENTUAL = "eventual", STRONG = "strong"}, "store.consistency"),
  }

  function store.get(id)
    if type(id) ~= "string" then
      error("bad argument #1 to 'get' (string expected, got " .. named(id) .. ")", 2)
    end
    if id == "" then return rt.invalid("store.get: the id must not be empty") end
    local kind, wrong, message = rt.door("kind", id)
    if not kind then return nil, errors.make(wrong, "store.get: " .. message) end
    if kind ~= "store.memory" then return rt.invalid("store.get: " .. id .. " is a " .. kind .. ", not a store") end
    local open, err = ask("open", id, "")
    if not open then return nil, err end
    return setmetatable({id, false}, mt)
  end

  return store
end
