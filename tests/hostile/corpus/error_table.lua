-- tries: to fail with a table that holds functions and itself
-- holds: the process fails with a text
-- outcome: fails .
return { main = function()
  local t = { print, coroutine.create(print) }
  t.t = t
  error(t)
end }
