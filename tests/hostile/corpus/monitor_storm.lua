-- tries: to monitor and unmonitor everything again and again
-- holds: others get their turns
-- outcome: lives
return { main = function()
  while true do
    process.monitor("neighbour")
    process.unmonitor("neighbour")
    process.unlink("neighbour")
  end
end }
