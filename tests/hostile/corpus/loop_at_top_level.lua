-- tries: to keep the VM at the top level of a script, inside of the spawning call
-- holds: the spawn fails at the hard limit
-- outcome: no_start ran for too long
while true do end
