-- tries: to survive the hard limit in a comparator by pcall in it
-- holds: every further check fails too, until the comparator is left
-- outcome: fails ran for too long
return { main = function()
  table.sort({ 3, 2, 1 }, function()
    while true do
      pcall(function() while true do end end)
    end
  end)
end }
