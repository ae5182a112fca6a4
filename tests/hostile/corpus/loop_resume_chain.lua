-- tries: to keep the VM by making and resuming coroutines for ever
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  while true do coroutine.resume(coroutine.create(function() end)) end
end }
