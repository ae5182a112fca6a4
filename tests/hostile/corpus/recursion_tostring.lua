-- tries: to overflow the C stack by __tostring that calls tostring
-- holds: an error is raised
-- outcome: fails .
return { main = function()
  local t
  t = setmetatable({}, { __tostring = function() return tostring(t) end })
  return tostring(t)
end }
