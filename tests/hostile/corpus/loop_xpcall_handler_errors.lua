-- tries: to recurse by handlers of xpcall that fail
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  local function h() error("again") end
  while true do xpcall(error, h) end
end }
