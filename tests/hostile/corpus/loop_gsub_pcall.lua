-- tries: to survive the hard limit in a callback of string.gsub by pcall
-- holds: every further check fails too, or others get their turns
-- outcome: fails_or_lives ran for too long
return { main = function()
  string.gsub("aaa", "a", function()
    while true do pcall(function() while true do end end) end
  end)
end }
