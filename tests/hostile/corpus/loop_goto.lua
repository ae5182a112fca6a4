-- tries: to keep the VM by a backward goto
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  ::again::
  goto again
end }
