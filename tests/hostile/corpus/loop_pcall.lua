-- tries: to keep the VM by pcall of endless loops
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  while true do pcall(function() while true do end end) end
end }
