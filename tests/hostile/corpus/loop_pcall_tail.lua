-- tries: to keep the VM by pcall of pcall of pcall, each of which calls the next
-- holds: it ends with an error of the stack, or others get their turns
-- outcome: ends_or_lives
return { main = function()
  local function f() return pcall(f) end
  while true do f() end
end }
