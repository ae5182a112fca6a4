-- Many senders, one receiver. The driver is the receiver.
local process_send = process.send

local function send(sink, count)
  for i = 1, count do
    process_send(sink, "item", i)
  end
end

local function receive(senders, count)
  local inbox = process.inbox()
  local me = process.pid()
  for _ = 1, senders do
    assert(process.spawn("bench:fan_in_sender", "bench:host1", me, count))
  end
  local sum = 0
  for _ = 1, senders * count do
    sum = sum + inbox:receive():payload():data()
  end
  return sum
end

return { receive = receive, send = send }
