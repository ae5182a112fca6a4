-- tries: to keep the VM by two gotos that jump to each other's labels
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  ::one::
  do goto two end
  ::two::
  do goto one end
end }
