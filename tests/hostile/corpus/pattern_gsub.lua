-- tries: to keep the VM by a replacement whose pattern goes back again and again
-- holds: the search gives up with an error, or ends soon
-- outcome: ends
return { main = function()
  local s = string.rep("a", 50000)
  pcall(string.gsub, s, ".-.-.-.-b", "")
  for _ in string.gmatch(s, ".-.-.-c") do break end
  return "done"
end }
