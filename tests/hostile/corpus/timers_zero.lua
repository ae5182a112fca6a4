-- tries: to keep the VM by sleeps of no time
-- holds: others get their turns, and it can be terminated
-- outcome: lives
local time = require("time")
return { main = function()
  while true do time.sleep(0) end
end }
