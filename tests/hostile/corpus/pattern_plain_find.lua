-- tries: to keep the VM by a plain search of quadratic cost
-- holds: the search gives up with an error, or ends soon
-- outcome: ends
return { main = function()
  local s = string.rep("a", 4000000)
  pcall(string.find, s, string.rep("a", 2000000) .. "b", 1, true)
  return "done"
end }
