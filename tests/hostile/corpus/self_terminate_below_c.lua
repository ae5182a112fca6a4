-- tries: to go on after its own end, from a place that cannot be left
-- holds: it ends all the same
-- outcome: fails terminated
return { main = function()
  while true do
    pcall(table.sort, { 2, 1 }, function()
      pcall(process.terminate, process.pid())
      return false
    end)
  end
end }
