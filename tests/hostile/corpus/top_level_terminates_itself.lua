-- tries: to terminate itself at the top level
-- holds: no process is left
-- outcome: ends
process.terminate(process.pid())
return { main = function() return "done" end }
