-- tries: every wrong use of channels
-- holds: errors, no crash; the process goes on
-- outcome: returns done
return { main = function()
  local c = channel.new(1)
  pcall(channel.new, -1)
  pcall(channel.new, 0 / 0)
  pcall(channel.new, math.huge)
  pcall(channel.new, "x")
  pcall(channel.select)
  pcall(channel.select, {}, true)
  pcall(channel.select, { 1 })
  pcall(channel.select, { c })
  pcall(channel.select, setmetatable({}, { __index = function() while true do end end, __len = function() return 1e9 end }), true)
  c:close()
  c:close()
  pcall(c.send, c, 1)
  pcall(c.receive, c)
  pcall(c.case_send, c, 1)
  process.inbox():close()
  pcall(process.inbox().receive, process.inbox())
  process.events():close()
  process.send(process.pid(), "x", 1)
  return "done"
end }
