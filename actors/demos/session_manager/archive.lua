-- The archive: who is here, and what everybody has said. It takes what it is told, sound or not.

local function main()
  process.registry.register("archive")
  local inbox, events = process.inbox(), process.events()
  local book, lines, counts = {}, {}, {} -- records in order of arrival; all that was said; user -> messages

  local function forget(user)
    for place = #book, 1, -1 do
      if book[place].user == user then
        table.remove(book, place)
      end
    end
  end

  local answer = {
    joined = function(record)
      forget(record.user)
      table.insert(book, record)
    end,
    left = function(record)
      forget(record.user)
    end,
    said = function(line)
      table.insert(lines, line.text)
      counts[line.user] = (counts[line.user] or 0) + 1
      process.send("digest", "words", line.text)
    end,
    recall = function(question)
      process.send(question.reply_to, "recalled", { messages = counts[question.user] or 0 })
    end,
    read = function(question)
      process.send(question.reply_to, "book", book)
    end,
    lines = function(question)
      process.send(question.reply_to, "lines", lines)
    end,
    ["still there?"] = function(question)
      process.send(question.reply_to, "archive", { messages = #lines, users = #book })
    end,
  }

  while true do
    local case = channel.select({ events:case_receive(), inbox:case_receive() })
    if case.channel == events then
      if case.value.kind == process.event.CANCEL then
        return #lines
      end
    else
      local act = answer[case.value:topic()]
      if act then
        act(case.value:payload():data())
      end
    end
  end
end

return { main = main }
