-- One sender that never waits, one receiver elsewhere that answers once, after the last message.
local process_send = process.send

local function receive(driver, count)
  local inbox = process.inbox()
  local sum = 0
  for _ = 1, count do
    sum = sum + inbox:receive():payload():data()
  end
  process_send(driver, "sum", sum)
end

local function send(count, host)
  local inbox = process.inbox()
  local sink = assert(process.spawn("bench:stream_sink", host, process.pid(), count))
  for i = 1, count do
    process_send(sink, "item", i)
  end
  return inbox:receive():payload():data()
end

return { send = send, receive = receive }
