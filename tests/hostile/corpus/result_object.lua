-- tries: to return objects of the runtime
-- holds: they arrive as nothing
-- outcome: ends
return { main = function() return { process.inbox(), process.events(), channel.new(1) } end }
