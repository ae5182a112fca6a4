-- tries: to grow an error by wrapping it for ever
-- holds: the text is bounded by memory only; the process ends
-- outcome: fails .
return { main = function()
  local e = errors.new("x")
  for i = 1, 5000 do e = errors.wrap(e, "context " .. i) end
  error(e)
end }
