-- Processes that wait for a message, and the one that leads them on behalf of the Python program.
local send = process.send

local function wait()
  local inbox = process.inbox()
  while true do
    local message = inbox:receive()
    if message:topic() == "stop" then
      return
    end
    send(message:from(), "pong", message:payload():data())
  end
end

local function ask_all(inbox, members)
  for i = 1, #members do
    send(members[i], "ping", i)
  end
  local answered, count = {}, 0
  for _ = 1, #members do
    local i = inbox:receive():payload():data()
    if not answered[i] then
      answered[i] = true
      count = count + 1
    end
  end
  return count
end

-- Orders: "grow" by `count` waiters, "ask" all of them, "stop" all of them and end; each is answered, to `reply_to`, with
-- how many there are, or have answered.
local function lead(host)
  local inbox = process.inbox()
  local members = {}
  while true do
    local order = inbox:receive()
    local topic, data = order:topic(), order:payload():data()
    local count = 0
    if topic == "grow" then
      for _ = 1, data.count do
        members[#members + 1] = assert(process.spawn("bench:waiter", host))
      end
      count = #members
    elseif topic == "ask" then
      count = ask_all(inbox, members)
    else
      for i = 1, #members do
        send(members[i], "stop")
      end
      send(data.reply_to, "count", #members)
      return #members
    end
    send(data.reply_to, "count", count)
  end
end

return { wait = wait, lead = lead }
