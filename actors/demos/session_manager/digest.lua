-- The digest: counts the words of the chat. After a crash it counts again all that the archive has kept.

local time = require("time")

local function words_in(text)
  local _, count = text:gsub("%S+", "")
  return count
end

local function recount()
  local answers = process.listen("lines")
  local total = 0
  if process.send("archive", "lines", { reply_to = process.pid() }) then
    local late = time.after("2s")
    local case = channel.select({ answers:case_receive(), late:case_receive() })
    if case.channel == answers then
      for _, text in ipairs(case.value) do
        total = total + words_in(text)
      end
    end
  end
  process.unlisten(answers)
  return total
end

local function main()
  local inbox, events = process.inbox(), process.events()
  local words = recount()
  process.registry.register("digest")
  while true do
    local case = channel.select({ events:case_receive(), inbox:case_receive() })
    if case.channel == events then
      if case.value.kind == process.event.CANCEL then
        return words
      end
    elseif case.value:topic() == "words" then
      words = words + words_in(case.value:payload():data())
    elseif case.value:topic() == "still there?" then
      process.send(case.value:payload():data().reply_to, "digest", { words = words })
    end
  end
end

return { main = main }
