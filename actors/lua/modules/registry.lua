-- The module `registry` (spec lua-api.md §18). Reads go through the door; what changes the registry waits for Python.

local errors = require("errors")
local msgpack = require("msgpack")
local object = require("object")
local remote = require("remote")
local values = require("values")

local type, rawget, rawset, setmetatable, error, next, ipairs = type, rawget, rawset, setmetatable, error, next, ipairs
local find, sub, match, floor = string.find, string.sub, string.match, math.floor

local function named(v) return v == nil and "nil" or object.type(v) end

return function(rt)
  local snapshot_methods, change_methods, version_methods, history_methods = {}, {}, {}, {}
  local snapshot_mt = object.class("snapshot", snapshot_methods)   -- {version}
  local changes_mt = object.class("changes", change_methods)       -- {operations, applied}
  local version_mt = object.class("version", version_methods)      -- {id, text, previous, next}
  local history_mt = object.class("history", history_methods)

  local function self_of(self, mt, what, where)
    if not object.is(self, mt) then
      error("bad argument #1 to '" .. where .. "' (" .. what .. " expected, got " .. named(self) .. ")", 3)
    end
  end

  local function ask(question, arguments)
    local packed, problem = msgpack.encode(arguments)
    if not packed then return rt.invalid("registry: " .. problem) end
    local answer, kind, message = rt.door("registry", question, packed)
    if not answer then return nil, errors.make(kind, message) end
    return msgpack.decode(answer)
  end

  -- an id as text from "ns:name" or {ns =, name =}; nil and an error otherwise
  local function id_of(value, where)
    if type(value) == "table" and not object.class_of(value) then
      local ns, name = rawget(value, "ns"), rawget(value, "name")
      if type(ns) == "string" and type(name) == "string" and ns ~= "" and name ~= "" then return ns .. ":" .. name end
      return rt.invalid("registry." .. where .. ": an id needs both ns and name")
    end
    if type(value) ~= "string" then
      return rt.invalid("registry." .. where .. ": the id must be a string or {ns, name}, got " .. named(value))
    end
    if not match(value, "^[^:]+:.") then
      return rt.invalid("registry." .. where .. ": the id '" .. value .. "' needs namespace and name, as in 'app:worker'")
    end
    return value
  end

  local function version_of(fields)
    return setmetatable({fields.id, fields.text, fields.previous, fields.next}, version_mt)
  end

  local function versions_of(list)
    local made = {}
    for i = 1, #list do made[i] = version_of(list[i]) end
    return made
  end

  local function get(id, version, where)
    local text, err = id_of(id, where)
    if not text then return nil, err end
    return ask("get", {id = text, version = version})
  end

  local function search(filter, version, where)
    if type(filter) ~= "table" or object.class_of(filter) then
      return rt.invalid("registry." .. where .. ": the filter must be a table, got " .. named(filter))
    end
    return ask("find", {query = next(filter) ~= nil and filter or setmetatable({}, values.object_mark), version = version})
  end

  local function snapshot(version, where)
    if object.is(version, version_mt) then version = rawget(version, 1) end
    if type(version) ~= "number" or version ~= floor(version) then
      return rt.invalid("registry." .. where .. ": the version must be a whole number or a Version, got " .. named(version))
    end
    local found, err = ask("snapshot", {version = version})
    if not found then return nil, err end
    return setmetatable({found}, snapshot_mt)
  end

  --- All entries, by id.
  function snapshot_methods.entries(self)
    self_of(self, snapshot_mt, "snapshot", "entries")
    return ask("entries", {version = rawget(self, 1)})
  end

  function snapshot_methods.get(self, id)
    self_of(self, snapshot_mt, "snapshot", "get")
    return get(id, rawget(self, 1), "get")
  end

  function snapshot_methods.find(self, filter)
    self_of(self, snapshot_mt, "snapshot", "find")
    return search(filter, rawget(self, 1), "find")
  end

  --- The entries of one namespace.
  function snapshot_methods.namespace(self, ns)
    self_of(self, snapshot_mt, "snapshot", "namespace")
    if type(ns) ~= "string" then return rt.invalid("registry.namespace: string expected, got " .. named(ns)) end
    return ask("find", {query = {[".ns"] = ns}, version = rawget(self, 1)})
  end

  --- An empty change set. Its operations are checked against the registry at the time of apply().
  function snapshot_methods.changes(self)
    self_of(self, snapshot_mt, "snapshot", "changes")
    return setmetatable({{}, false}, changes_mt)
  end

  function snapshot_methods.version(self)
    self_of(self, snapshot_mt, "snapshot", "version")
    local fields, err = ask("version", {version = rawget(self, 1)})
    if not fields then return nil, err end
    return version_of(fields)
  end

  -- what an empty table of an entry means: a map, not a list
  local function map(t)
    if type(t) == "table" and next(t) == nil then return setmetatable({}, values.object_mark) end
    return t
  end

  -- a checked copy of the entry argument of create and update; nil and an error otherwise
  local function entry_of(entry, where, kind_needed)
    if type(entry) ~= "table" or object.class_of(entry) then
      return rt.invalid("registry." .. where .. ": the entry must be a table, got " .. named(entry))
    end
    local id, err = id_of(rawget(entry, "id"), where)
    if not id then return nil, err end
    local kind, meta, data = rawget(entry, "kind"), rawget(entry, "meta"), rawget(entry, "data")
    if type(kind) ~= "string" or (kind_needed and kind == "") then
      return rt.invalid("registry." .. where .. ": the kind of " .. id .. " is missing")
    end
    if meta ~= nil and (type(meta) ~= "table" or object.class_of(meta)) then
      return rt.invalid("registry." .. where .. ": the meta of " .. id .. " must be a table, got " .. named(meta))
    end
    local made = {id = id, kind = kind, meta = map(meta), data = map(data)}
    local copied, problem = values.copy(made)
    if problem then return rt.invalid("registry." .. where .. ": " .. id .. ": " .. problem) end
    local _, unfit = msgpack.encode(copied)
    values.dropped = false
    if unfit then return rt.invalid("registry." .. where .. ": " .. id .. ": " .. unfit) end
    return copied
  end

  local function add(self, kind, entry, err)
    if not entry then return nil, err end
    if rawget(self, 2) then return rt.invalid("registry: these changes were applied already; make new ones") end
    local operations = rawget(self, 1)
    operations[#operations + 1] = {kind = kind, entry = entry}
    return self
  end

  function change_methods.create(self, entry)
    self_of(self, changes_mt, "changes", "create")
    return add(self, "entry.create", entry_of(entry, "create", true))
  end

  --- Replace meta and data of an entry; an empty kind is taken from the state.
  function change_methods.update(self, entry)
    self_of(self, changes_mt, "changes", "update")
    return add(self, "entry.update", entry_of(entry, "update", false))
  end

  function change_methods.delete(self, id)
    self_of(self, changes_mt, "changes", "delete")
    local text, err = id_of(id, "delete")
    return add(self, "entry.delete", text and {id = text}, err)
  end

  --- The operations so far, as copies.
  function change_methods.ops(self)
    self_of(self, changes_mt, "changes", "ops")
    return (values.copy(rawget(self, 1)))
  end

  --- Apply everything or nothing, and wait until it is decided. Returns the new Version.
  function change_methods.apply(self)
    self_of(self, changes_mt, "changes", "apply")
    local operations = rawget(self, 1)
    if rawget(self, 2) then return rt.invalid("registry: these changes were applied already; make new ones") end
    if not operations[1] then return rt.invalid("no changes to apply") end
    rawset(self, 2, true)
    local id, err = remote.ask_python("registry.apply", operations)
    if not id then return nil, err end
    local fields, problem = ask("version", {version = id})
    if not fields then return nil, problem end
    return version_of(fields)
  end

  function version_methods.id(self)
    self_of(self, version_mt, "version", "id")
    return rawget(self, 1)
  end

  function version_methods.string(self)
    self_of(self, version_mt, "version", "string")
    return rawget(self, 2)
  end

  -- a neighbour of a version as it is now; nil at the ends
  local function neighbour(where)
    return function(self)
      self_of(self, version_mt, "version", where)
      local fields, err = ask("version", {version = rawget(self, 1)})
      if not fields then return nil, err end
      if fields[where] == nil then return nil end
      local found, problem = ask("version", {version = fields[where]})
      if not found then return nil, problem end
      return version_of(found)
    end
  end
  version_methods.previous = neighbour("previous")
  version_methods.next = neighbour("next")

  local registry = {}

  local function versions()
    local list, err = ask("versions")
    if not list then return nil, err end
    return versions_of(list)
  end

  function history_methods.versions(self)
    self_of(self, history_mt, "history", "versions")
    return versions()
  end

  function history_methods.get_version(self, n)
    self_of(self, history_mt, "history", "get_version")
    if type(n) ~= "number" or n ~= floor(n) then
      return rt.invalid("registry.get_version: the version must be a whole number, got " .. named(n))
    end
    local fields, err = ask("version", {version = n})
    if not fields then return nil, err end
    return version_of(fields)
  end

  function history_methods.snapshot_at(self, version)
    self_of(self, history_mt, "history", "snapshot_at")
    return snapshot(version, "snapshot_at")
  end

  function registry.get(id) return get(id, nil, "get") end
  function registry.find(filter) return search(filter, nil, "find") end

  --- The parts of an id; a text without colon is a name alone.
  function registry.parse_id(text)
    if type(text) ~= "string" then
      error("bad argument #1 to 'parse_id' (string expected, got " .. named(text) .. ")", 2)
    end
    local colon = find(text, ":", 1, true)
    if not colon then return {ns = "", name = text} end
    return {ns = sub(text, 1, colon - 1), name = sub(text, colon + 1)}
  end

  function registry.snapshot()
    local found, err = ask("snapshot", setmetatable({}, values.object_mark))
    if not found then return nil, err end
    return setmetatable({found}, snapshot_mt)
  end

  function registry.snapshot_at(version) return snapshot(version, "snapshot_at") end

  function registry.current_version()
    local fields, err = ask("version", setmetatable({}, values.object_mark))
    if not fields then return nil, err end
    return version_of(fields)
  end

  registry.versions = versions
  function registry.history() return setmetatable({}, history_mt) end

  --- Go to a version, back or forward, and wait until it is decided.
  function registry.apply_version(version)
    if not object.is(version, version_mt) then
      local _, err = rt.invalid("registry.apply_version: Version expected, got " .. named(version))
      return false, err
    end
    local id, err = remote.ask_python("registry.apply_version", rawget(version, 1))
    if not id then return false, err end
    return true
  end

  -- the entries that build_delta compares: of a Snapshot, or a list
  local function state(of, n)
    if object.is(of, snapshot_mt) then return snapshot_methods.entries(of) end
    if type(of) ~= "table" or object.class_of(of) then
      return rt.invalid("registry.build_delta: argument #" .. n .. " must be a list of entries or a Snapshot, got " .. named(of))
    end
    local list = {}
    for i, entry in ipairs(of) do
      local made, err = entry_of(entry, "build_delta", true)
      if not made then return nil, err end
      list[i] = made
    end
    return list
  end

  --- The ordered operations that lead from one state to another.
  function registry.build_delta(from, to)
    local before, err = state(from, 1)
    if not before then return nil, err end
    local after, problem = state(to, 2)
    if not after then return nil, problem end
    return ask("delta", {before = before, after = after})
  end

  return registry
end
