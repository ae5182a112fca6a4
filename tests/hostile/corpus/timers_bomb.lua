-- tries: to fill the VM with timers
-- holds: they end with the process
-- outcome: lives
local time = require("time")
return { main = function()
  for _ = 1, 20000 do time.after("1h") end
  process.inbox():receive()
end }
