-- tries: to keep the VM in one call of table.insert that moves a thousand million fields
-- holds: the call is refused or short
-- outcome: ends
return { main = function()
  local t = setmetatable({}, { __len = function() return 1e9 end })
  pcall(table.insert, t, 1, "x")
  return "done"
end }
