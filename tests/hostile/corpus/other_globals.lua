-- tries: to leave something in the globals of others
-- holds: neighbours do not see it
-- outcome: returns True
polluted = true
_G.polluted = true
rawset(_G, "polluted", true)
print = nil
string = { rep = function() return "hacked" end }
pcall(setmetatable, _G, nil)
pcall = nil
return { main = function()
  polluted2 = true
  type = function() return "hacked" end
  return polluted
end }
