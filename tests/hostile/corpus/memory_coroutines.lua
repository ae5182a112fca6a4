-- tries: to take all memory by coroutines
-- holds: the process ends with a memory error, the others live
-- outcome: fails memory
return { main = function()
  local t = {}
  for i = 1, 1e9 do t[i] = coroutine.create(function() end) end
end }
