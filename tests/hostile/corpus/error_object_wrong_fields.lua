-- tries: to fail with error objects whose fields are of wrong types
-- holds: the process fails with a text
-- outcome: fails .
return { main = function()
  pcall(errors.new, { message = 1 })
  pcall(errors.new, { message = "x", kind = {} })
  pcall(errors.new, { message = "x", details = { f = print } })
  pcall(errors.wrap, nil, nil)
  pcall(errors.wrap, setmetatable({}, {}), "x")
  pcall(errors.is, nil, nil)
  pcall(errors.call_stack, {})
  local e = errors.new({ message = "deep", kind = "Weird", details = { f = print, c = coroutine.create(print), 1 / 0 } })
  error(e)
end }
