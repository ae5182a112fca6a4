-- tries: to take the names of others away (the contract allows everybody to unregister)
-- holds: the neighbour is still reached by its PID
-- outcome: returns True
return { main = function()
  local there = process.registry.unregister("spare")
  return there and process.registry.lookup("spare") == nil
end }
