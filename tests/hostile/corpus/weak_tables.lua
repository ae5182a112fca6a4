-- tries: to observe what the garbage collector takes from others through weak tables
-- holds: only its own values are in them
-- outcome: ends
return { main = function()
  local weak = setmetatable({}, { __mode = "kv" })
  for i = 1, 100000 do weak[{}] = {} end
  for _, v in pairs({ process, string, process.inbox() }) do weak[v] = v end
  return "done"
end }
