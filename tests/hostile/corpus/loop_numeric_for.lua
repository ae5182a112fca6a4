-- tries: to keep the VM by a for loop without an end
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function() for _ = 1, math.huge do end end }
