-- tries: to call methods of runtime objects on other things
-- holds: errors of arguments, no crash
-- outcome: ends
local time = require("time")
return { main = function()
  process.send(process.pid(), "x", { 1 })
  local m = process.inbox():receive()
  local methods = { process.inbox().receive, process.inbox().send, process.inbox().close, process.inbox().case_receive,
    process.inbox().case_send, m.topic, m.from, m.payload, m:payload().data, m:payload().transcode, errors.new("x").kind,
    errors.new("x").message, errors.new("x").stack, errors.new("x").details, process.with_options({}).spawn,
    process.with_options({}).with_name, time.timer("1h").stop, time.now().format, time.now().add }
  local values = { {}, 1, "x", print, true, setmetatable({}, { __index = print }), { 1, 2, 3, 4, 5, 6 }, coroutine.create(print),
    m, m:payload(), errors.new("y"), process.inbox():case_receive() }
  for i = 1, 19 do
    local f = methods[i]
    if f then
      pcall(f)
      for _, v in ipairs(values) do
        pcall(f, v, "x", 3)
      end
    end
  end
  return "done"
end }
