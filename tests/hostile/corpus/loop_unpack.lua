-- tries: to keep the VM by long operations of one call each
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local t = {}
  for i = 1, 7000 do t[i] = i end
  while true do select("#", unpack(t)) end
end }
