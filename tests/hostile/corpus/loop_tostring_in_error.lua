-- tries: to keep the kernel busy by an error value whose __tostring never ends
-- holds: the process ends
-- outcome: fails .
return { main = function()
  error(setmetatable({}, { __tostring = function() while true do end end }))
end }
