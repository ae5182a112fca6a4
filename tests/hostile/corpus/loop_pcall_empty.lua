-- tries: to keep the VM by calling nothing but library functions
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  while true do pcall(pcall, pcall, error) end
end }
