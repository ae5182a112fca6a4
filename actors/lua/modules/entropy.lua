-- Where uuid and crypto take random bytes from: `rt.random_bytes` where the kernel has a source that is seeded or
-- recorded (workflows, tests), and the random source of the operating system otherwise.

local error, format = error, string.format

local BLOCK = 1024      -- asked for at once: a crossing costs more than the bytes

return function(rt)
  if rt.random_bytes then return rt.random_bytes end
  local stock, at = "", 1
  return function(n)
    if n > BLOCK then
      local bytes, _, message = rt.door("entropy", format("%d", n))
      return bytes or error(message, 0)
    end
    if at + n - 1 > #stock then
      local bytes, _, message = rt.door("entropy", format("%d", BLOCK))
      stock, at = bytes or error(message, 0), 1
    end
    at = at + n
    return stock:sub(at - n, at - 1)
  end
end
