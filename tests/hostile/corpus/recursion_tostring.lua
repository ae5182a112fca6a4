-- tries: to overflow the C stack, or to keep the VM, by __tostring that calls tostring
-- holds: an error is raised, or others get their turns
-- outcome: fails_or_lives .
return { main = function()
  local t
  t = setmetatable({}, { __tostring = function() return tostring(t) end })
  return tostring(t)
end }
