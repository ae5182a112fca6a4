-- tries: to fail with a value whose __tostring gives no text
-- holds: the process fails with a text
-- outcome: fails .
return { main = function()
  error(setmetatable({}, { __tostring = function() return {} end }))
end }
