-- tries: to reach the counter of reductions by its name
-- holds: the source is refused at load
-- outcome: refused __r
return { main = function()
  __r.n = 1e18
  while true do end
end }
