-- tries: to reach the shared globals through the metatable of its own environment
-- holds: the metatable is locked
-- outcome: returns []
return { main = function()
  local got = {}
  local mt = getmetatable(_G)
  if type(mt) == "table" then got[#got + 1] = "metatable" end
  if pcall(setmetatable, _G, {}) then got[#got + 1] = "setmetatable" end
  if pcall(setmetatable, _G, { __index = function() while true do end end }) then got[#got + 1] = "loop" end
  return got
end }
