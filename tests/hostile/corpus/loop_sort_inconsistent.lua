-- tries: to confuse table.sort by an order that contradicts itself
-- holds: an error or an end, but no crash
-- outcome: ends
return { main = function()
  local t = {}
  for i = 1, 5000 do t[i] = i end
  for _ = 1, 20 do pcall(table.sort, t, function() return true end) end
  return "done"
end }
