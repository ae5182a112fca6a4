-- tries: to take all memory by table.concat
-- holds: the call is refused or the process ends
-- outcome: fails memory|too large
return { main = function()
  local t, s = {}, string.rep("x", 1024 * 1024)
  for i = 1, 100000 do t[i] = s end
  return #table.concat(t)
end }
