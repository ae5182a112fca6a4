-- An innocent process: it answers, and tells whether the world around it is as it should be.

local function intact()
  local found = {}
  local function check(name, ok) if not ok then found[#found + 1] = name end end
  check("string", ("x"):rep(3) == "xxx" and string.format("%d", 7) == "7" and ("abc"):sub(2, 2) == "b")
  check("table", table.concat({ 1, 2 }, ",") == "1,2" and #table.pack(1, 2, 3) == 3)
  check("math", math.floor(1.5) == 1 and math.random(5, 5) == 5)
  check("pcall", not pcall(error, "x") and select(2, pcall(error, "x", 0)) == "x")
  check("type", type({}) == "table" and type(process.inbox()) == "userdata")
  check("tostring", tostring(12) == "12")
  check("globals", rawget(_G, "polluted") == nil and polluted == nil and polluted2 == nil)
  check("libraries", string.hacked == nil and table.hacked == nil and process.hacked == nil and errors.hacked == nil)
  check("errors", errors.new("x"):message() == "x")
  check("channel", channel.new(1):send(1) == true)
  return found
end

local function main(name)
  process.registry.register(name)
  local inbox, events = process.inbox(), process.events()
  while true do
    local chosen = channel.select({ events:case_receive(), inbox:case_receive() })
    if chosen.channel == events then return end
    local message = chosen.value
    if message:topic() == "ping" then
      process.send(message:payload():data(), "pong", { broken = intact() })
    elseif message:topic() == "ghost" then
      error("a process went on after its end")
    end
  end
end

return { main = main }
