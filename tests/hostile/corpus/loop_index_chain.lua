-- tries: to keep the VM by a chain of __index tables that ends in itself
-- holds: an error is raised
-- outcome: fails (?i)loop
return { main = function()
  local t = {}
  setmetatable(t, { __index = t })
  return t.x
end }
