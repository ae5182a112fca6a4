-- tries: to change library tables in every way that writes
-- holds: every attempt is refused
-- outcome: returns []
return { main = function()
  local got = {}
  local libraries = { string = string, table = table, math = math, coroutine = coroutine, os = os, process = process,
    channel = channel, errors = errors, payload = payload, package = package, registry = process.registry,
    event = process.event, time = require("time"), formats = payload.format }
  for name, library in pairs(libraries) do
    local ways = {
      assign = function() library.hacked = true end,
      replace = function() for k in pairs(library) do library[k] = print end error("none") end,
      rawset = function() rawset(library, "hacked", true) end,
      insert = function() table.insert(library, "hacked") end,
      insert_at = function() table.insert(library, 1, "hacked") end,
      remove = function() table.remove(library, 1) end,
      sort = function() table.sort(library) end,
      move = function() table.move({ 1, 2, 3 }, 1, 3, 1, library) end,
      metatable = function() setmetatable(library, {}) end,
    }
    for way, f in pairs(ways) do
      if pcall(f) then got[#got + 1] = name .. " by " .. way end
    end
    if rawget(library, "hacked") ~= nil or library.hacked ~= nil then got[#got + 1] = name .. " is changed" end
    local mt = getmetatable(library)
    if type(mt) == "table" then got[#got + 1] = "metatable of " .. name end
    if next(library) ~= nil then got[#got + 1] = "next over " .. name end
  end
  if pcall(function() package.loaded.x = 1 end) and package.loaded.x then got[#got + 1] = "package.loaded is shared" end
  if pcall(function() package.preload.x = print end) and package.preload.x then got[#got + 1] = "package.preload is shared" end
  return got
end }
