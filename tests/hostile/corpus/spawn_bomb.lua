-- tries: to fill the host with processes
-- holds: max_processes refuses what is too many; the others live
-- host: max_processes=200
-- outcome: returns True
return { main = function(self, host)
  local kind
  for _ = 1, 5000 do
    local pid, err = process.spawn("hostile:idle", host)
    if not pid then kind = err:kind() end
  end
  return kind == "LimitExceeded"
end }
