local function main()
  local inbox, events = process.inbox(), process.events()
  local count = 0
  while true do
    local got = channel.select({ events:case_receive(), inbox:case_receive() })
    if got.channel == events then
      return count
    end
    count = count + 1
    process.send(got.value:payload():data().reply_to, "count", count)
  end
end

return { main = main }
