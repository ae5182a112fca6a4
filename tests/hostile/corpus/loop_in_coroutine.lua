-- tries: to keep the VM by an endless loop in a coroutine of its own
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local co = coroutine.create(function() while true do end end)
  while true do coroutine.resume(co) end
end }
