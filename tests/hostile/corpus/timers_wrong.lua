-- tries: durations of every wrong form
-- holds: errors, no crash
-- outcome: ends
local time = require("time")
return { main = function()
  for _, d in ipairs({ -1, 0 / 0, -math.huge, "x", "", "-1s", "1", {}, print, true }) do
    pcall(time.sleep, d)
    pcall(time.after, d)
    pcall(time.timer, d)
    pcall(time.ticker, d)
  end
  pcall(time.after, math.huge)
  pcall(time.timer, 1e308)
  return "done"
end }
