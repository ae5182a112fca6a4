-- One user's session. It starts with what the archive remembers of the user, and goes on without a manager when that
-- one has crashed.

local function recall(user)
  local answers = process.listen("recalled")
  if not process.send("archive", "recall", { user = user, reply_to = process.pid() }) then
    error(errors.new({ message = "the archive is not there", kind = errors.UNAVAILABLE, retryable = true }))
  end
  return answers:receive().messages
end

local function main(user, audience, again)
  process.set_options({ trap_links = true })
  local inbox, events = process.inbox(), process.events()
  local messages = recall(user)
  process.send(audience, "opened", { user = user, messages = messages, again = again, pid = process.pid() })

  local function say(text)
    local clean = text:gsub("%s+", " ")
    messages = messages + 1
    process.send("archive", "said", { user = user, text = clean })
    process.send(audience, "said", { user = user, text = clean, messages = messages })
  end

  while true do
    local case = channel.select({ events:case_receive(), inbox:case_receive() })
    if case.channel == events then
      if case.value.kind == process.event.CANCEL then
        return messages
      elseif case.value.kind == process.event.LINK_DOWN then
        process.send(audience, "orphaned", { user = user })
      end
    else
      local topic, data = case.value:topic(), case.value:payload():data()
      if topic == "say" then
        say(data.text)
      elseif topic == "leave" then
        process.send("archive", "left", { user = user })
        process.send(audience, "left", { user = user, messages = messages })
        return messages
      elseif topic == "still there?" then
        process.send(audience, "still here", { user = user, messages = messages })
      end
    end
  end
end

return { main = main }
