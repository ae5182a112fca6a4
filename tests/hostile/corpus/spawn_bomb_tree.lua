-- tries: to fill the host by processes that spawn two each
-- holds: max_processes refuses what is too many; the others live
-- host: max_processes=200
-- outcome: ends
return { main = function(self, host)
  process.spawn(self, host, self, host)
  process.spawn(self, host, self, host)
  return "done"
end }
