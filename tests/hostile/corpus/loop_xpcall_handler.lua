-- tries: to keep the VM inside of the handler of xpcall
-- holds: it fails at the hard limit, or others get their turns
-- outcome: ends_or_lives
return { main = function()
  xpcall(error, function() while true do end end)
  while true do end
end }
