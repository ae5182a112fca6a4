-- tries: to take all memory by string.format
-- holds: the call is refused, or the process ends
-- outcome: ends
return { main = function()
  pcall(string.format, "%99999999999s", "x")
  pcall(string.format, "%.99999999999f", 1)
  pcall(string.format, string.rep("%99s", 100000), unpack({}))
  return "done"
end }
