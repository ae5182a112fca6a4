-- tries: to keep the VM inside of a callback of string.gsub
-- holds: it fails at the hard limit, or others get their turns
-- outcome: fails_or_lives ran for too long
return { main = function()
  string.gsub("aaa", "a", function() while true do end end)
end }
