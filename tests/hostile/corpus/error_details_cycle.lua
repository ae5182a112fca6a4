-- tries: to fail with an error whose details contain themselves
-- holds: the process fails, its watchers in Python are told
-- outcome: fails .
return { main = function()
  local d = {}
  d.d = d
  error(errors.new({ message = "cycle", details = d }))
end }
