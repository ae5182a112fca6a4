-- tries: to return more than the VM can pack
-- holds: the process ends, or its VM is replaced; the host lives
-- outcome: ends
return { main = function()
  local t = {}
  for i = 1, 200000 do t[i] = { i, tostring(i) } end
  return t
end }
