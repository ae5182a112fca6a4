-- tries: to keep the VM by a generator that yields for ever
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end
end }
