-- tries: to keep the VM inside of a __tostring that print calls
-- holds: it fails at the hard limit, or others get their turns
-- outcome: fails_or_lives ran for too long
return { main = function()
  print(setmetatable({}, { __tostring = function() while true do end end }))
end }
