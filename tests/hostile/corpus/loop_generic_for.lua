-- tries: to keep the VM by an iterator that never ends
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  for _ in function() return 1 end do end
end }
