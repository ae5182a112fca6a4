-- The same document again and again, as text and as a table.
local json = require("json")

local function encode(text, count)
  local document, bytes = assert(json.decode(text)), 0
  for _ = 1, count do
    bytes = bytes + #assert(json.encode(document))
  end
  return bytes
end

local function decode(text, count)
  local orders = 0
  for _ = 1, count do
    orders = orders + #assert(json.decode(text)).orders
  end
  return orders
end

return { encode = encode, decode = decode }
