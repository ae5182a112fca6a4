-- tries: to go on after its own end
-- holds: nothing runs after it, whatever catches
-- outcome: fails terminated
return { main = function()
  pcall(function() process.terminate(process.pid()) end)
  while true do process.send("neighbour", "ghost", 1) end
end }
