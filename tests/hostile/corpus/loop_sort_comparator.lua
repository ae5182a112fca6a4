-- tries: to keep the VM inside of a comparator of table.sort
-- holds: the comparator fails at the hard limit
-- outcome: fails ran for too long
return { main = function()
  table.sort({ 3, 2, 1 }, function() while true do end end)
end }
