-- tries: to stop or flood what belongs to the supervisor and to Python, by PIDs near to real ones
-- holds: cancel, terminate, link and monitor are refused
-- outcome: returns []
return { main = function()
  local got = {}
  local mark = string.sub(string.match(process.pid(), "|(0x.-)}$"), 1, 12)
  for slot = 0, 20 do
    for _, host in ipairs({ "node:python", "node:control", "hostile:host" }) do
      local pid = "{" .. host .. "|" .. mark .. "0000" .. string.format("%05x", slot) .. "}"
      for _, what in ipairs({ "cancel", "terminate", "monitor", "link" }) do
        local called, ok = pcall(process[what], pid)
        if called and ok then got[#got + 1] = what .. " " .. pid end
      end
    end
  end
  return got
end }
