-- tries: to fail with a message of 8 MB
-- holds: the process fails
-- outcome: fails .
return { main = function() error(string.rep("x", 8 * 1024 * 1024)) end }
