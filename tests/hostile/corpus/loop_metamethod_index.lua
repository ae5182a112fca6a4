-- tries: to keep the VM inside of an __index function
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local t = setmetatable({}, { __index = function() while true do end end })
  return t.x
end }
