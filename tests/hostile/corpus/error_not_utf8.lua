-- tries: to fail with bytes that are no text
-- holds: the process fails, Python is told
-- outcome: fails .
return { main = function() error("\255\254\0\1") end }
