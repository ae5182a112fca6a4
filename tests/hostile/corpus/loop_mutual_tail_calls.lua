-- tries: to keep the VM by two functions that end in calls of each other
-- holds: others get their turns, and it can be terminated
-- outcome: lives
local f, g
f = function(n) return g(n + 1) end
g = function(n) return f(n - 1) end
return { main = function() return f(0) end }
