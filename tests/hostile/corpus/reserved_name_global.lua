-- tries: to reach the counter of reductions through the globals
-- holds: there is none
-- outcome: returns None
return { main = function() return _G["__" .. "r"] end }
