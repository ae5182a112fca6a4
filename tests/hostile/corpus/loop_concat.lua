-- tries: to keep the VM by long concatenations again and again
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local t = {}
  for i = 1, 1000 do t[i] = "x" end
  while true do table.concat(t) end
end }
