local time = require("time")

local function main()
  local ticker = time.ticker("1s")
  local ticks, events = ticker:channel(), process.events()
  local count = 0
  while channel.select({ events:case_receive(), ticks:case_receive() }).channel == ticks do
    count = count + 1
  end
  ticker:stop()
  return count
end

return { main = main }
