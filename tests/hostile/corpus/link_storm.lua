-- tries: to take neighbours along by links that fail
-- holds: only those that agreed to be linked fail; a long chain of links ends without overflow
-- outcome: fails linked|boom
return { main = function(self, host)
  local last
  for _ = 1, 2000 do last = process.spawn_linked("hostile:chain", host, last) end
  process.send(last, "boom", 1)
  process.inbox():receive()
  process.inbox():receive()
end }
