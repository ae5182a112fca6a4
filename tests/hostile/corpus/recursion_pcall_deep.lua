-- tries: to overflow the C stack by pcall inside of pcall
-- holds: an error is raised
-- outcome: ends_or_lives
return { main = function()
  local function f(n) pcall(f, n + 1) return n end
  return f(0)
end }
