-- tries: to return a cycle to Python
-- holds: an error, nothing hangs
-- outcome: fails (?i)cannot|cycl
return { main = function()
  local t = {}
  t.t = t
  return t
end }
