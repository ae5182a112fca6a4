-- tries: to pass more values than the stack holds
-- holds: an error is raised
-- outcome: returns False
return { main = function()
  local function more(n, ...)
    if n == 0 then return select("#", ...) end
    return more(n - 1, ..., ...)
  end
  local t = {}
  for i = 1, 7000 do t[i] = i end
  return (pcall(function() return (function(...) return more(40000, ...) end)(unpack(t)) end)) and false
end }
