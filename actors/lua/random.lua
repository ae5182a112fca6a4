-- The generator behind a process's math.random: xoshiro128** on 32-bit integers, one small table per process.

local bit = require("bit")
local object = require("object")

local bxor, rol, lshift, rshift, tobit = bit.bxor, bit.rol, bit.lshift, bit.rshift, bit.tobit
local char, concat = string.char, table.concat
local floor, type, tonumber, error = math.floor, type, tonumber, error

local random = {}

-- one step of splitmix on 32 bits, to spread seeds that differ little; multiplication is done in two exact halves
local function product(a, b)
  local low, high = a % 65536, floor(a / 65536) % 65536
  return tobit((low * b) % 4294967296 + ((high * b) % 65536) * 65536)
end

local function mix(x)
  x = product(bxor(x, rshift(x, 16)) % 4294967296, 0x85ebca6b)
  x = product(bxor(x, rshift(x, 13)) % 4294967296, 0xc2b2ae35)
  return bxor(x, rshift(x, 16))
end

-- 32 bits of a number of any size, sign and fraction
local function word(seed)
  if seed ~= seed or seed == 1 / 0 or seed == -1 / 0 then return 0 end
  if seed % 1 ~= 0 then seed = floor((seed % 1) * 4294967296) + seed - seed % 1 end
  return tobit(seed % 4294967296)
end

--- Seed a state afresh; the same two numbers give the same sequence.
function random.reseed(state, seed1, seed2)
  local high = seed1 - seed1 % 4294967296
  local x = bxor(word(seed1), product(word(high / 4294967296) % 4294967296, 0x9e3779b1))
  local y = word(seed2 or 0)
  for i = 1, 4 do
    x = tobit(x + 0x9e3779b9)
    state[i] = bxor(mix(x), mix(tobit(y + product(i, 0x7f4a7c15))))
  end
  if state[1] == 0 and state[2] == 0 and state[3] == 0 and state[4] == 0 then state[1] = 1 end
end

--- Make a generator from two numbers.
function random.new(seed1, seed2)
  local state = {0, 0, 0, 0}
  random.reseed(state, seed1, seed2)
  return state
end

local function next_word(state)
  local a, b, c, d = state[1], state[2], state[3], state[4]
  local x = tobit(b + lshift(b, 2))
  x = rol(x, 7)
  x = tobit(x + lshift(x, 3))
  local shifted = lshift(b, 9)
  c = bxor(c, a)
  d = bxor(d, b)
  b = bxor(b, c)
  a = bxor(a, d)
  c = bxor(c, shifted)
  state[1], state[2], state[3], state[4] = a, b, c, rol(d, 11)
  return x
end

--- The next number in [0, 1), of 53 random bits.
local function next_number(state)
  local high = rshift(next_word(state), 5) % 134217728
  local low = rshift(next_word(state), 6) % 67108864
  return (high * 67108864 + low) / 9007199254740992
end

random.next = next_number

--- `n` random bytes.
function random.bytes(state, n)
  local out, filled = {}, 0
  for i = 1, floor(n / 4) do
    local word = next_word(state)
    out[i] = char(word % 256, rshift(word, 8) % 256, rshift(word, 16) % 256, rshift(word, 24) % 256)
    filled = filled + 4
  end
  while filled < n do
    out[#out + 1] = char(rshift(next_word(state), 24) % 256)
    filled = filled + 1
  end
  return concat(out)
end

local function integer(v, n)
  if type(v) == "number" then return floor(v) end
  local number = type(v) == "string" and tonumber(v)
  if not number then
    error("bad argument #" .. n .. " to 'random' (number expected, got " .. object.type(v) .. ")", 3)
  end
  return floor(number)
end

--- math.random on a state: () -> [0,1), (m) -> 1..m, (m, n) -> m..n, with the argument errors of Lua.
function random.math_random(state, m, n)
  if m == nil and n == nil then return next_number(state) end
  m = integer(m, 1)
  if n == nil then
    if not (m >= 1) then error("bad argument #1 to 'random' (interval is empty)", 2) end
    return floor(next_number(state) * m) + 1
  end
  n = integer(n, 2)
  if not (m <= n) then error("bad argument #2 to 'random' (interval is empty)", 2) end
  return floor(next_number(state) * (n - m + 1)) + m
end

return random
