-- tries: to overflow the C stack by metamethods
-- holds: an error is raised
-- outcome: fails stack overflow|C stack|loop
return { main = function()
  local mt = {}
  mt.__index = function(t, k) return t[k .. "x"] end
  local t = setmetatable({}, mt)
  return t.a
end }
