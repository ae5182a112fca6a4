-- tries: to unlock metatables by replacing __metatable
-- holds: locked tables stay locked
-- outcome: returns []
return { main = function()
  local got = {}
  for name, v in pairs({ library = string, inbox = process.inbox(), error = errors.new("x"), env = _G }) do
    if pcall(setmetatable, v, { __metatable = nil }) then got[#got + 1] = name end
    if pcall(rawset, v, "__metatable", nil) and name ~= "env" then got[#got + 1] = "rawset " .. name end
  end
  return got
end }
