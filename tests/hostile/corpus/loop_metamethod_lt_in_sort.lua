-- tries: to keep the VM inside of an __lt that table.sort calls, where nothing can yield
-- holds: an error ends it, whatever catches it
-- outcome: fails ran for too long
return { main = function()
  local mt = { __lt = function() while true do end end }
  local t = { setmetatable({}, mt), setmetatable({}, mt) }
  while true do
    local ok, err = pcall(table.sort, t)
    if not ok then error(err, 0) end
  end
end }
