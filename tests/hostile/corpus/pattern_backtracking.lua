-- tries: to keep the VM by a pattern that goes back again and again
-- holds: the search gives up with an error, or ends soon
-- outcome: ends
return { main = function()
  local s = string.rep("a", 30000)
  pcall(string.find, s, string.rep("a?", 40) .. string.rep("a", 40) .. "b")
  pcall(string.match, s, "(.-)(.-)(.-)(.-)b")
  pcall(string.find, s, ".-.-.-.-.-.-.-.-.-.-b")
  return "done"
end }
