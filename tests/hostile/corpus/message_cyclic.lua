-- tries: to send cycles, shared and deep values to itself and to Python
-- holds: they arrive as they are within the VM
-- outcome: returns True
return { main = function()
  local t = {}
  t.t = t
  local deep = {}
  for _ = 1, 200000 do deep = { deep } end
  process.send(process.pid(), "x", t)
  process.send(process.pid(), "x", deep)
  local m = process.inbox():receive():payload():data()
  return m.t == m
end }
