-- tries: to overflow the stack by recursion
-- holds: the process fails with an error of the stack
-- outcome: fails stack overflow
return { main = function()
  local function f() return 1 + f() end
  return f()
end }
