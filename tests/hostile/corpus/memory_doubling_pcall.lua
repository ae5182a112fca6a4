-- tries: to catch the memory error and to go on
-- holds: no pcall keeps the process alive
-- outcome: fails memory
return { main = function()
  local t = {}
  while true do
    pcall(function()
      for i = 1, 1e9 do t[#t + 1] = { i } end
    end)
  end
end }
