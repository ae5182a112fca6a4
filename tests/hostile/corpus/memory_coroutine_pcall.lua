-- tries: to catch the memory error by coroutine.resume
-- holds: it keeps no process alive
-- outcome: fails memory
return { main = function()
  local t = {}
  while true do
    coroutine.resume(coroutine.create(function()
      for i = 1, 1e9 do t[#t + 1] = { i } end
    end))
  end
end }
