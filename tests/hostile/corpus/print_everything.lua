-- tries: to fill the log, and to log what is no text
-- holds: others get their turns
-- outcome: ends
return { main = function()
  print()
  print(nil, print, {}, "\255\0", string.rep("x", 100000))
  for i = 1, 2000 do print(i) end
  return "done"
end }
