-- tries: to return a function
-- holds: the process fails with Invalid
-- outcome: fails cannot be sent
return { main = function() return print end }
