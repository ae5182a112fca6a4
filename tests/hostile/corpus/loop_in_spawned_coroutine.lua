-- tries: to keep the VM by endless loops in spawned coroutines
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  for _ = 1, 3 do coroutine.spawn(function() while true do end end) end
end }
