-- tries: to keep the VM by inserts at the front of a long table
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local t = {}
  while true do
    table.insert(t, 1, 1)
    if #t > 5000 then t = {} end
  end
end }
