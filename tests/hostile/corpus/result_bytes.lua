-- tries: to return bytes that are no text, as values and keys
-- holds: they arrive as bytes
-- outcome: ends
return { main = function() return { ["\255"] = "\254", [1.5] = 0 / 0, [-1] = math.huge } end }
