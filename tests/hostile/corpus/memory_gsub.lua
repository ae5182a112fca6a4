-- tries: to take all memory by replacements that grow
-- holds: the process ends with an error
-- outcome: fails memory|too large
return { main = function()
  local s = "aaaaaaaaaaaaaaaa"
  while true do s = string.gsub(s, "a", "aaaaaaaa") end
end }
