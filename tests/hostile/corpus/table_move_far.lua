-- tries: to keep the VM in one call of table.move over a thousand million fields
-- holds: the call is refused, or it ends, or the VM's other processes go on
-- outcome: ends
return { main = function()
  pcall(function() return table.move({}, 1, 1e9, 2) end)
  return "done"
end }
