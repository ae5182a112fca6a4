-- tries: to reach processes by PIDs that it makes up
-- holds: NotFound or Invalid, as for every PID that does not live
-- outcome: returns []
return { main = function()
  local got = {}
  local mine = process.pid()
  local head, unique = string.match(mine, "^{(.-)|(.-)}$")
  local forged = { "{" .. head .. "|0x00000}", "{" .. head .. "|}", "{|" .. unique .. "}", "{x@" .. head .. "|" .. unique .. "}",
    "{" .. head .. "|" .. unique .. "0}", "{" .. head .. "|" .. unique .. "ffffffffffff}", "{node:control|" .. unique .. "}",
    "{" .. head .. "|" .. string.sub(unique, 1, 12) .. "ffff00000}", "{" .. head .. "|" .. string.sub(unique, 1, 12) .. "0000fffff}",
    "{" .. head .. "|" .. string.sub(unique, 1, 12) .. "0001" .. string.rep("f", 60) .. "}", string.rep("{", 1000), "{" .. string.rep("|", 1000) .. "}",
    mine .. " ", " " .. mine, string.upper(mine) }
  for _, pid in ipairs(forged) do
    for _, what in ipairs({ "send", "cancel", "terminate", "monitor", "link" }) do
      local called, ok, err = pcall(process[what], pid, "x")
      if called and ok and pid ~= "{|" .. unique .. "}" and pid ~= "{node:control|" .. unique .. "}" then got[#got + 1] = what .. " " .. pid end
    end
  end
  return got
end }
