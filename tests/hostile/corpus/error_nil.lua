-- tries: to fail with nil
-- holds: the process fails with a text
-- outcome: fails .
return { main = function() error(nil) end }
