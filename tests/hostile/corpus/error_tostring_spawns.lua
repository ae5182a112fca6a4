-- tries: to act from a __tostring that the kernel calls after the process failed
-- holds: it has no process to act as
-- outcome: fails .
return { main = function(self, host)
  error(setmetatable({}, { __tostring = function()
    process.spawn("hostile:idle", host)
    process.send("neighbour", "noise", process.pid())
    coroutine.yield()
    return "text"
  end }))
end }
