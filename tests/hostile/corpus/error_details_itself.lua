-- tries: to fail with an error that is in its own details
-- holds: the process fails, its watchers in Python are told
-- outcome: fails .
return { main = function()
  local d = {}
  local e = errors.new({ message = "cycle", details = d })
  d.e = e
  error(e)
end }
