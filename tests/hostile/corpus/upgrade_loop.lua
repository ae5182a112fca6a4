-- tries: to keep the VM by upgrading itself for ever
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function(self, host) process.upgrade(nil, self, host) end }
