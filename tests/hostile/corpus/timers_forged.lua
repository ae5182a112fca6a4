-- tries: to put the timers of all out of order, by the function inside of its own timer
-- holds: timers go on
-- outcome: returns True
local time = require("time")
return { main = function()
  local timer = time.timer("1h")
  local inside = rawget(timer, 1)
  for _, v in ipairs({ 0 / 0, -math.huge, "x", {}, print, -1 }) do
    pcall(inside, "reset", v)
    pcall(inside, v, v)
    pcall(inside, "stop")
    timer = time.timer("1h")
    inside = rawget(timer, 1)
  end
  for _ = 1, 20 do
    pcall(inside, "reset", 0 / 0)
    time.sleep("1ms")
  end
  return true
end }
