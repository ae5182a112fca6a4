-- tries: to keep the VM by coroutines at the top level of a script
-- holds: the spawn fails
-- outcome: no_start ran for too long
while true do
  local co = coroutine.wrap(function() while true do end end)
  pcall(co)
end
