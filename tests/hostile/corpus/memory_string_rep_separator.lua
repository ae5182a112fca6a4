-- tries: to take all memory by the separator of string.rep
-- holds: the call is refused
-- outcome: fails too large|memory
return { main = function() return #string.rep("", 1e9, "xxxxxxxxxxxxxxxx") end }
