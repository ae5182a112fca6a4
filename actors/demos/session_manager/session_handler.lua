-- The session manager. It keeps one process per connected user, and knows them all again after it has crashed
-- itself: the archive says who should be here, the names "session/<user>" say who still is.

local function session_name(user)
  return "session/" .. user
end

-- Ask the archive for its book, and wait for the answer.
local function read_book()
  local answers = process.listen("book")
  local sent = process.send("archive", "read", { reply_to = process.pid() })
  if not sent then
    error(errors.new({ message = "the archive is not there", kind = errors.UNAVAILABLE, retryable = true }))
  end
  local book = answers:receive()
  process.unlisten(answers)
  return book
end

local function main()
  process.set_options({ trap_links = true }) -- the crash of a session is news, not a reason to die
  local inbox, events = process.inbox(), process.events()
  local users = {} -- pid of a session -> its user
  local audience -- the pid of whoever watches the chat

  local function tell(topic, news)
    if audience then
      process.send(audience, topic, news)
    end
  end

  local function open(user, again)
    local spawner = process.with_options({}):with_name(session_name(user))
    local pid, err = spawner:spawn_linked_monitored("app:session", "app:processes", user, audience, again)
    if not pid then
      error(err)
    end
    users[pid] = user
  end

  -- A session that outlived an earlier manager: bind it again. False when it is gone.
  local function adopt(user)
    local pid = process.registry.lookup(session_name(user))
    if not pid or not process.monitor(pid) or not process.link(pid) then
      return false
    end
    users[pid] = user
    return true
  end

  local function rebuild()
    local adopted, opened = 0, 0
    for _, record in ipairs(read_book()) do
      local user = record.user:lower()
      audience = record.audience
      if adopt(user) then
        adopted = adopted + 1
      else
        open(user, true)
        opened = opened + 1
      end
    end
    if adopted + opened > 0 then
      tell("rebuilt", { adopted = adopted, opened = opened })
    end
  end

  local function connect(wish)
    local user = wish.user:lower()
    audience = wish.audience
    process.send("archive", "joined", { user = user, audience = audience })
    open(user, false)
  end

  local function on_event(event)
    local user = users[event.from]
    if event.kind == process.event.LINK_DOWN then
      tell("link", { pid = event.from })
    elseif event.kind == process.event.EXIT and user then
      users[event.from] = nil
      if event.result and event.result.error then
        tell("exit", { user = user })
        open(user, true)
      end
    end
  end

  rebuild()
  process.registry.register("sessions")
  while true do
    local case = channel.select({ events:case_receive(), inbox:case_receive() })
    if case.channel == events then
      if case.value.kind == process.event.CANCEL then
        for pid in pairs(users) do
          process.cancel(pid, "the chat closes")
        end
        return "closed"
      end
      on_event(case.value)
    elseif case.value:topic() == "connect" then
      connect(case.value:payload():data())
    end
  end
end

return { main = main }
