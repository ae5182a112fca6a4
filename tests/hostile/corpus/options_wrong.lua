-- tries: wrong options of the process
-- holds: Invalid
-- outcome: ends
return { main = function()
  pcall(process.set_options)
  pcall(process.set_options, { x = 1 })
  pcall(process.set_options, { trap_links = "x" })
  pcall(process.set_options, { [print] = print })
  pcall(process.set_options, setmetatable({}, { __pairs = print }))
  pcall(process.with_options, { [1] = 2 })
  pcall(process.with_context, print)
  pcall(process.upgrade, {})
  return "done"
end }
