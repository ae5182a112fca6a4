-- Neighbours nobody wishes for. None of them ever waits.
local function loop()
  local n = 0
  while true do
    n = n + 1
  end
end

local function recurse(depth)
  return 1 + recurse((depth or 0) + 1)
end

local function hoard()
  local hoarded, n = {}, 0
  while true do
    n = n + 1
    hoarded[n] = string.rep("x", 1000) .. n
  end
end

local function chat(sink)
  local n = 0
  while true do
    n = n + 1
    process.send(sink, "chat", { n = n, text = "did you hear" })
  end
end

return { loop = loop, recurse = recurse, hoard = hoard, chat = chat }
