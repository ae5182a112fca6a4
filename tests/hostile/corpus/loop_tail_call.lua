-- tries: to keep the VM by tail calls without an end
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local function f() return f() end
  return f()
end }
