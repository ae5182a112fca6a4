-- tries: to overflow the C stack by wrapped coroutines inside of each other
-- holds: an error is raised early
-- outcome: returns False
return { main = function()
  local function f() return coroutine.wrap(f)() end
  return (pcall(f))
end }
