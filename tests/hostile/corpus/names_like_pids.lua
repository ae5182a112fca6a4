-- tries: to register names that look like PIDs, to be taken for another process
-- holds: they are refused
-- outcome: returns []
return { main = function(self, host)
  local got = {}
  local other = process.registry.lookup("neighbour")
  for _, name in ipairs({ other, "{x|y}", "{a@b|c}", "{|}", "" }) do
    local ok = process.registry.register(name)
    if ok then got[#got + 1] = name end
  end
  local pid, err = process.with_options({}):with_name("neighbour"):spawn("hostile:idle", host)
  if pid ~= other then got[#got + 1] = "took the name of a neighbour" end
  if process.registry.register("neighbour") then got[#got + 1] = "registered a name that is taken" end
  return got
end }
