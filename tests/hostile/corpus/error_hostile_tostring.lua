-- tries: to fail with a value whose __tostring fails
-- holds: the process fails with a text
-- outcome: fails .
return { main = function()
  error(setmetatable({}, { __tostring = function() error("again") end }))
end }
