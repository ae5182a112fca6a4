-- tries: to end the program, or to read its files and environment
-- holds: nothing of it exists
-- outcome: returns []
return { main = function()
  local got = {}
  for _, name in ipairs({ "exit", "execute", "getenv", "remove", "rename", "tmpname", "setlocale" }) do
    if os[name] ~= nil then got[#got + 1] = "os." .. name end
  end
  for _, name in ipairs({ "io", "dofile", "loadfile", "load", "loadstring", "collectgarbage", "gcinfo", "newproxy", "module",
    "getfenv", "setfenv", "rawlen", "debug", "ffi", "jit", "bit", "python", "utf8", "arg", "lupa", "buffer" }) do
    if _G[name] ~= nil or rawget(_G, name) ~= nil then got[#got + 1] = name end
  end
  for _, name in ipairs({ "ffi", "jit", "bit", "debug", "io", "python", "string.buffer", "table.new", "table.clear", "jit.util",
    "jit.opt", "state", "kernel", "scheduler", "loader", "sandbox", "outbox", "modules.time_duration", "lfs", "../x" }) do
    if pcall(require, name) then got[#got + 1] = "require " .. name end
  end
  return got
end }
