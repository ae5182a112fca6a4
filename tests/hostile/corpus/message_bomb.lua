-- tries: to flood a bounded mailbox
-- holds: the sender is told, the mailbox stays within its bound
-- outcome: returns RateLimited
return { main = function(self, host)
  local pid = process.spawn("hostile:bounded", host)
  local kind
  for i = 1, 100000 do
    local ok, err = process.send(pid, "x", i)
    if not ok then kind = err:kind() end
  end
  process.terminate(pid)
  return kind
end }
