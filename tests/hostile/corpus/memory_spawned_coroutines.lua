-- tries: to take all memory by spawned coroutines that wait
-- holds: the process ends with a memory error or its VM is replaced, the host lives
-- outcome: fails memory|worker lost
return { main = function()
  local ch = channel.new()
  for _ = 1, 1e9 do coroutine.spawn(function() ch:receive() end) end
end }
