-- tries: to keep the VM by tickers of the smallest interval
-- holds: others get their turns, or the interval is refused
-- outcome: fails_or_lives .
local time = require("time")
return { main = function()
  for _ = 1, 100 do time.ticker("1ns") end
  time.sleep("1h")
end }
