-- tries: to flood a neighbour that reads its messages
-- holds: the neighbour still answers
-- outcome: lives
return { main = function()
  while true do process.send("neighbour", "noise", { 1, 2, 3 }) end
end }
