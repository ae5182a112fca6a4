-- tries: to change what strings can do
-- holds: every attempt is refused
-- outcome: returns []
return { main = function()
  local got = {}
  local mt = getmetatable("")
  if type(mt) == "table" then got[#got + 1] = "metatable" end
  if pcall(setmetatable, "", {}) then got[#got + 1] = "setmetatable" end
  if pcall(function() ("").rep = print end) then got[#got + 1] = "assignment" end
  if ("x").dump ~= nil then got[#got + 1] = "dump" end
  for _, v in ipairs({ 1, true, print, coroutine.create(print) }) do
    if pcall(setmetatable, v, {}) then got[#got + 1] = type(v) end
    if type(getmetatable(v)) == "table" then got[#got + 1] = "metatable of " .. type(v) end
  end
  return got
end }
