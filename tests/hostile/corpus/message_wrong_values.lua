-- tries: to send what cannot cross
-- holds: INVALID, with the path; nothing arrives
-- outcome: returns []
return { main = function()
  local got = {}
  local co = coroutine.create(print)
  local me = process.pid()
  for name, v in pairs({ f = print, co = co, nested = { a = { b = print } }, key = { [print] = 1 }, both = { [{ print }] = 1 } }) do
    local ok, err = process.send(me, "x", v)
    if ok or err:kind() ~= "Invalid" then got[#got + 1] = name end
  end
  return got
end }
