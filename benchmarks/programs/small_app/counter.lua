local function main()
  local inbox = process.inbox()
  local count = 0
  while true do
    local data = inbox:receive():payload():data()
    count = count + 1
    process.send(data.reply_to, "count", count)
  end
end

return { main = main }
