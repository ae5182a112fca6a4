-- tries: to have bytecode loaded from a string
-- holds: no function loads anything
-- outcome: returns []
return { main = function()
  local got = {}
  local code = "\27LJ\2\2\0\1\2\0\0\2K\0\1\0\0"
  for _, name in ipairs({ "load", "loadstring", "require", "dofile", "loadfile" }) do
    local f = _G[name]
    if f and pcall(f, code) then got[#got + 1] = name end
  end
  if string.dump then got[#got + 1] = "string.dump" end
  return got
end }
