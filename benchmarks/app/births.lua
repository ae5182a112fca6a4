-- Processes that end at once. The leaves of a batch run in the order of their birth, so that the answer of the last
-- one tells that all have run; the watched form waits for every exit instead.
local send, spawn, spawn_monitored = process.send, process.spawn, process.spawn_monitored
local HOST = "bench:host1"

local function leaf(driver)
  if driver then
    send(driver, "done")
  end
end

local function drive(batches, size)
  local inbox = process.inbox()
  local me = process.pid()
  for _ = 1, batches do
    for _ = 2, size do
      spawn("bench:leaf", HOST)
    end
    assert(spawn("bench:leaf", HOST, me))
    inbox:receive()
  end
  return batches * size
end

local function drive_watched(batches, size)
  local events = process.events()
  local seen = 0
  for _ = 1, batches do
    for _ = 1, size do
      spawn_monitored("bench:leaf", HOST)
    end
    for _ = 1, size do
      if events:receive().kind == process.event.EXIT then
        seen = seen + 1
      end
    end
  end
  return seen
end

local function task(a, b)
  return a + b
end

return { leaf = leaf, drive = drive, drive_watched = drive_watched, task = task }
