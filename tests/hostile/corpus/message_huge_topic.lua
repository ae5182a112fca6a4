-- tries: to send and listen with huge and strange topics
-- holds: they are texts as any other
-- outcome: ends
return { main = function()
  local topics = { string.rep("t", 1000000), "", "\0", "\255\254", "@", "@events", "pid.exit", "__index" }
  for _, topic in ipairs(topics) do
    pcall(process.send, process.pid(), topic, 1)
    pcall(process.listen, topic)
    pcall(subscribe, topic, channel.new())
  end
  return "done"
end }
