-- tries: to fill the name registry
-- holds: the names go with the process
-- outcome: returns 20000
return { main = function()
  local n = 0
  for i = 1, 20000 do
    if process.registry.register("name " .. i .. "\0\255") then n = n + 1 end
  end
  return n
end }
