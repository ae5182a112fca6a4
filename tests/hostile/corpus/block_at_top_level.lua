-- tries: to wait at the top level
-- holds: the spawn fails
-- outcome: no_start .
process.inbox():receive()
return { main = print }
