-- tries: to return a value that is nested 100,000 levels deep to Python
-- holds: an error, nothing hangs
-- outcome: fails .
return { main = function()
  local t = {}
  for _ = 1, 100000 do t = { t } end
  return t
end }
