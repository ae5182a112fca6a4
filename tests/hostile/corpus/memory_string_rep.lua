-- tries: to take all memory by one string.rep
-- holds: the call is refused
-- outcome: fails too large|memory
return { main = function() return #string.rep("x", 1e12) end }
