-- tries: to keep the VM inside of __tostring
-- holds: it fails at the hard limit, or others get their turns
-- outcome: fails_or_lives ran for too long
return { main = function()
  return tostring(setmetatable({}, { __tostring = function() while true do end end }))
end }
