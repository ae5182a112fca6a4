-- tries: to return a value of 60 shared levels, which Python would see as 2^60 values
-- holds: an error, nothing hangs
-- outcome: fails .
return { main = function()
  local t = { 1 }
  for _ = 1, 60 do t = { t, t } end
  return t
end }
