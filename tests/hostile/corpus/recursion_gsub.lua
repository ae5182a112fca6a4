-- tries: to overflow the C stack by gsub inside of gsub
-- holds: an error is raised
-- outcome: fails .
return { main = function()
  local function f() return (string.gsub("a", "a", f)) end
  return f()
end }
