-- tries: to wait inside of a comparator
-- holds: an error, as the contract says
-- outcome: fails C-call boundary
return { main = function()
  table.sort({ 2, 1 }, function() process.inbox():receive() return false end)
end }
