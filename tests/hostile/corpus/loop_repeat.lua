-- tries: to keep the VM by an endless repeat loop with work in it
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local n = 0
  repeat n = (n + 1) % 7 until n == 8
end }
