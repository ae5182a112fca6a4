-- A ring of processes that pass one token on. The node that was born first learns its successor by a message.
local send = process.send

local function node(successor, rounds, driver)
  local inbox = process.inbox()
  local next_pid = successor or inbox:receive():payload():data()
  for _ = 1, rounds do
    send(next_pid, "token", inbox:receive():payload():data())
  end
  if driver then
    send(driver, "done", rounds)
  end
end

local function drive(size, rounds)
  local inbox = process.inbox()
  local host = "bench:host1"
  -- its successor is the node that is born last, so the token ends its way at this one
  local last = assert(process.spawn("bench:ring_node", host, nil, rounds, process.pid()))
  local first = last
  for _ = 2, size do
    first = assert(process.spawn("bench:ring_node", host, first, rounds))
  end
  send(last, "successor", first)
  send(first, "token", 1)
  inbox:receive()
  return size * rounds
end

return { drive = drive, node = node }
