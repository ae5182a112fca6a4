-- tries: to take all memory by messages to itself that it never reads
-- holds: the process ends or its VM is replaced, the host lives
-- outcome: fails memory|worker lost
return { main = function()
  local me, big = process.pid(), { string.rep("x", 100), 1, 2, 3, { 4 } }
  while true do process.send(me, "x", big) end
end }
