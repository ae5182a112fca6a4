-- tries: to catch the memory error by xpcall and to allocate in the handler
-- holds: no xpcall keeps the process alive
-- outcome: fails memory
return { main = function()
  local t = {}
  while true do
    xpcall(function()
      for i = 1, 1e9 do t[#t + 1] = { i } end
    end, function(e)
      t[#t + 1] = string.rep("x", 1000)
      return e
    end)
  end
end }
