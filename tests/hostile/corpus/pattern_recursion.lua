-- tries: to overflow the C stack by a pattern
-- holds: an error is raised
-- outcome: ends
return { main = function()
  local s = string.rep("x", 1000000)
  pcall(string.find, s, string.rep("(x)", 1000))
  pcall(string.find, string.rep("(", 300000), string.rep("%b()", 1000))
  pcall(string.find, s, string.rep("x?", 300000))
  pcall(string.find, s, string.rep("[", 300000))
  pcall(string.rep, "%", 100)
  return "done"
end }
