-- tries: to keep many strings of the largest size that is allowed
-- holds: the process ends with a memory error, the others live
-- outcome: fails memory
return { main = function()
  local t = {}
  for i = 1, 1000 do t[i] = string.rep("x", 16 * 1024 * 1024) .. i end
  return #t
end }
