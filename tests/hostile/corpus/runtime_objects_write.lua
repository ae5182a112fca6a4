-- tries: to change runtime objects by rawset and table functions, and to use them then
-- holds: they refuse it; no library function trusts what is in them
-- outcome: returns []
local time = require("time")
return { main = function()
  local got = {}
  process.send(process.pid(), "x", { 1 })
  local m = process.inbox():receive()
  local objects = { inbox = process.inbox(), events = process.events(), message = m, payload = m:payload(),
    case = process.inbox():case_receive(), error = errors.new("x"), channel = channel.new(3), timer = time.timer("1h"),
    now = time.now(), spawner = process.with_options({}) }
  for name, v in pairs(objects) do
    for i = 0, 8 do
      if pcall(rawset, v, i, print) then got[#got + 1] = name .. " by rawset" break end
    end
    if pcall(rawset, v, "x", 1) then got[#got + 1] = name .. " by rawset" end
    if pcall(table.insert, v, 1) then got[#got + 1] = name .. " by insert" end
    if pcall(table.insert, v, 1, print) then got[#got + 1] = name .. " by insert at 1" end
    if pcall(table.remove, v) then got[#got + 1] = name .. " by remove" end
    if pcall(table.move, { 1, 2 }, 1, 2, 1, v) then got[#got + 1] = name .. " by move" end
    if pcall(function() v.x = 1 end) then got[#got + 1] = name .. " by assignment" end
    if pcall(setmetatable, v, {}) then got[#got + 1] = name .. " by setmetatable" end
  end
  return got
end }
