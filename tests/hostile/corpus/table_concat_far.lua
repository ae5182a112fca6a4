-- tries: to keep the VM in one call of table.concat over a thousand million fields
-- holds: the call is refused or fails
-- outcome: ends
return { main = function()
  pcall(table.concat, setmetatable({}, { __index = function() return "" end }), "", 1, 1e9)
  pcall(table.concat, {}, "x", 1, 1e9)
  return "done"
end }
