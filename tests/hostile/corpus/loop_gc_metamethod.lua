-- tries: to run code in a finalizer, outside of every process
-- holds: it never runs, or it runs as nobody and harms none
-- outcome: returns True
return { main = function()
  for _ = 1, 1000 do
    setmetatable({}, { __gc = function() while true do end end })
  end
  local t = {}
  for i = 1, 200000 do t[i % 100] = { i } end
  return true
end }
