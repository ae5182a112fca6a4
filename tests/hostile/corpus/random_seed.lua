-- tries: to make the random numbers of others predictable
-- holds: the generator is its own
-- outcome: ends
return { main = function()
  math.randomseed(1)
  pcall(math.randomseed, 0 / 0)
  pcall(math.randomseed, "x")
  pcall(math.randomseed, {})
  pcall(math.random, 0)
  pcall(math.random, -1, -2)
  pcall(math.random, 1, math.huge)
  return "done"
end }
