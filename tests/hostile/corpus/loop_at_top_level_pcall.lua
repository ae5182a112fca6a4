-- tries: to survive the hard limit of the top level by pcall
-- holds: the spawn fails
-- outcome: no_start ran for too long
while true do pcall(function() while true do end end) end
