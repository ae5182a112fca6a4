-- Two processes that answer each other. The driver plays ping and checks every answer.
local send = process.send

local function pong_integer(peer, rounds)
  local inbox = process.inbox()
  for _ = 1, rounds do
    send(peer, "pong", inbox:receive():payload():data())
  end
end

local function ping_integer(rounds, host)
  local inbox = process.inbox()
  local peer = assert(process.spawn("bench:pong_integer", host, process.pid(), rounds))
  for i = 1, rounds do
    send(peer, "ping", i)
    if inbox:receive():payload():data() ~= i then
      error("a wrong answer in round " .. i)
    end
  end
  return rounds
end

local function pong_table(rounds)
  local inbox = process.inbox()
  local me = process.pid()
  for _ = 1, rounds do
    local data = inbox:receive():payload():data()
    send(data.from, "pong", { from = me, i = data.i })
  end
end

local function ping_table(rounds, host)
  local inbox = process.inbox()
  local me = process.pid()
  local peer = assert(process.spawn("bench:pong_table", host, rounds))
  for i = 1, rounds do
    send(peer, "ping", { from = me, i = i })
    if inbox:receive():payload():data().i ~= i then
      error("a wrong answer in round " .. i)
    end
  end
  return rounds
end

return {
  ping_integer = ping_integer,
  pong_integer = pong_integer,
  ping_table = ping_table,
  pong_table = pong_table,
}
