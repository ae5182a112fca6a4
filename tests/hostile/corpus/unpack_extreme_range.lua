-- tries: to overflow the count of unpack
-- holds: an error is raised, or nothing is returned
-- outcome: ends
return { main = function()
  pcall(unpack, {}, -2147483648, 2147483647)
  pcall(unpack, {}, -1e308, 1e308)
  pcall(unpack, {}, 0 / 0, 1)
  pcall(table.concat, {}, "", -2147483648, 2147483647)
  pcall(string.rep, "x", 1e308)
  pcall(string.sub, "x", -1e308, 1e308)
  pcall(string.char, 1e308)
  pcall(select, -1e308, 1)
  return "done"
end }
