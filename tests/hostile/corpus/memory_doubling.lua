-- tries: to take all memory by a string that doubles
-- holds: the process ends with an error
-- outcome: fails memory|too large|too long
return { main = function()
  local s = "x"
  while true do s = s .. s end
end }
