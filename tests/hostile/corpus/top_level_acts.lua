-- tries: to act before it exists: spawn, send, register and end itself at the top level
-- holds: errors or plain effects, no crash
-- outcome: ends
pcall(process.spawn, "hostile:idle", "hostile:host")
pcall(process.exec, "hostile:idle", "hostile:host")
pcall(process.monitor, "neighbour")
pcall(process.link, "neighbour")
pcall(process.send, process.pid(), "x")
pcall(process.registry.register, "early")
pcall(process.upgrade)
pcall(coroutine.spawn, print)
pcall(process.listen, "x")
return { main = function() return "done" end }
