-- tries: to keep the VM by an endless while loop
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function() while true do end end }
