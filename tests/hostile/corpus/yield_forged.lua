-- tries: to yield to the kernel itself, or with what it yields
-- holds: errors; the kernel takes nothing for its own
-- outcome: returns done
return { main = function()
  pcall(coroutine.yield, 1)
  pcall(coroutine.yield)
  local co = coroutine.create(function() coroutine.yield("WAIT") coroutine.yield("KILL") end)
  coroutine.resume(co)
  coroutine.resume(co)
  coroutine.resume(co)
  coroutine.resume(co)
  pcall(coroutine.resume, coroutine.running())
  local t = coroutine.spawn(function() process.inbox():receive() end)
  pcall(coroutine.resume, t, 1, 2)
  pcall(coroutine.wrap, t)
  pcall(coroutine.resume, coroutine.create(coroutine.yield))
  return "done"
end }
