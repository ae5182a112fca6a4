-- tries: every wrong argument of the spawns
-- holds: errors come back as values or are raised; no process is left
-- outcome: ends
return { main = function(self, host)
  local values = { false, true, 0, -1, 0 / 0, "", "x", ":", "a:b:c", "{", "{x|0x1}", {}, print, string.rep("x", 100000) }
  for _, a in ipairs(values) do
    for _, b in ipairs(values) do
      for _, f in ipairs({ "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored", "exec" }) do
        pcall(process[f], a, b)
        pcall(process[f], a, host, b)
        pcall(process[f], "hostile:idle", a, b)
      end
    end
  end
  return "done"
end }
