local send = process.send

local function wait()
  local inbox = process.inbox()
  while true do
    local data = inbox:receive():payload():data()
    send(data.reply_to, "pong", data.i)
  end
end

local function swallow()
  local inbox = process.inbox()
  while true do
    inbox:receive()
  end
end

return { wait = wait, swallow = swallow }
