-- tries: to reach the kernel through what next, pairs and rawget find in runtime objects
-- holds: only plain values of the process's own are found, and the function that a timer is made of
-- outcome: returns []
local time = require("time")
return { main = function(self, host)
  local got = {}
  process.send(process.pid(), "x", { 1 })
  local m = process.inbox():receive()
  local objects = { inbox = process.inbox(), events = process.events(), message = m, payload = m:payload(),
    case = process.inbox():case_receive(), error = errors.new("x"), channel = channel.new(3),
    timer = time.timer("1h"), ticker = time.ticker("1h"), after = time.after("1h"), now = time.now(),
    duration = time.parse_duration("1s"), spawner = process.with_options({}), listen = process.listen("topic") }
  local seen = {}
  local function walk(name, v, depth)
    if type(v) == "thread" then got[#got + 1] = name .. " is a thread" end
    if type(v) == "function" and not string.find(name, "^ti") then got[#got + 1] = name .. " is a function" end
    if type(getmetatable(v)) == "table" then got[#got + 1] = "metatable of " .. name end
    if (type(v) ~= "table" and type(v) ~= "userdata") or depth > 6 or seen[v] then return end
    seen[v] = true
    local k, item = next(v)
    while k ~= nil do
      if type(item) == "table" and rawget(item, "pid") and rawget(item, "co") then got[#got + 1] = name .. " holds a process" end
      if not objects[k] then walk(name .. "." .. tostring(k), item, depth + 1) end
      k, item = next(v, k)
    end
  end
  for name, v in pairs(objects) do walk(name, v, 0) end
  return got
end }
