-- tries: to overflow the stack again inside of the handler of an overflow
-- holds: no crash
-- outcome: ends
return { main = function()
  local function f() return 1 + f() end
  local ok = xpcall(f, function() return f() end)
  return ok
end }
