-- A process that calls a function of its own VM, one call after the other.
local call = require("funcs").call

local function drive(count)
  for i = 1, count do
    local sum, err = call("bench:add", i, 1)
    if sum ~= i + 1 then
      return nil, "call " .. i .. " gave " .. tostring(sum or err)
    end
  end
  return count
end

return { drive = drive }
