-- tries: to catch the overflow of the stack and to go on
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local function f() return 1 + f() end
  while true do pcall(f) end
end }
