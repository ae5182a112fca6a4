-- tries: to hand functions to a neighbour through messages, names, contexts and errors
-- holds: nothing that can be called crosses
-- outcome: returns []
return { main = function(self, host)
  local got = {}
  local ways = {
    send = function() return process.send("neighbour", "noise", { print }) end,
    argument = function() return process.spawn("hostile:idle", host, print) end,
    context = function() return process.with_context({ f = print }):spawn("hostile:idle", host) end,
    message = function() return process.with_message("x", print):spawn("hostile:idle", host) end,
  }
  for name, f in pairs(ways) do
    local ok, done = pcall(f)
    if ok and done then got[#got + 1] = name end
  end
  return got
end }
