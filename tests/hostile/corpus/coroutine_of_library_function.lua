-- tries: to run library functions that wait as coroutines of their own
-- holds: they wait or fail as anywhere
-- outcome: ends
local time = require("time")
return { main = function()
  local wait = coroutine.wrap(process.inbox().receive)
  coroutine.spawn(function() process.send(process.pid(), "x", 1) end)
  wait(process.inbox())
  coroutine.wrap(time.sleep)("1ms")
  coroutine.spawn(function() end)
  return "done"
end }
