-- A matcher for Lua 5.1 patterns that counts its steps. The C matcher of LuaJIT cannot be interrupted and needs
-- exponential or cubic time for hostile patterns; strings.lua uses this one where that could happen. Results equal C's.

local byte, sub, char, find = string.byte, string.sub, string.char, string.find
local floor = math.floor

local CHAR, STAR, PLUS, MINUS, OPT, OPEN, POSITION, CLOSE = 1, 2, 3, 4, 5, 6, 7, 8
local BACKREF, BALANCE, FRONTIER, EOS, FINISH, FAULT = 9, 10, 11, 12, 13, 14
local QUANTIFIER = {[42] = STAR, [43] = PLUS, [45] = MINUS, [63] = OPT}
local MAX_CAPTURES = 32
local UNFINISHED, MARK = -1, -2      -- lengths of captures that are open, or positions
local C_STEPS = 4e6                  -- what the C matcher may need in the worst case: some 10 ms
local C_LINEAR = 4e8                 -- the same for patterns whose cost is only linear in the subject
local STEPS, STEPS_PER_BYTE = 3e6, 16
local CACHED = 400

-- sets of bytes: tables indexed 0..255, made by asking the C matcher about each byte
local sets, set_count = {}, 0

local function set_of(item)
  local set = sets[item]
  if set then return set end
  set = {}
  if item == "." then
    for c = 0, 255 do set[c] = true end
  elseif #item == 1 then
    local own = byte(item)
    for c = 0, 255 do set[c] = c == own end
  else
    local pattern = "^" .. item
    for c = 0, 255 do set[c] = find(char(c), pattern) ~= nil end
  end
  if set_count >= CACHED then sets, set_count = {}, 0 end
  sets[item], set_count = set, set_count + 1
  return set
end

-- the end of a pattern item, or nil and what is wrong with it
local function item_end(p, at)
  local c = byte(p, at)
  if c == 37 then
    if at == #p then return nil, "malformed pattern (ends with '%')" end
    return at + 1
  elseif c ~= 91 then
    return at
  end
  at = at + 1
  if byte(p, at) == 94 then at = at + 1 end
  repeat
    c = byte(p, at)
    if not c then return nil, "malformed pattern (missing ']')" end
    at = at + (c == 37 and at < #p and 2 or 1)
  until byte(p, at) == 93
  return at
end

-- the items of a pattern; `sound` = matching it runs into no fault of its captures' brackets
local function parse(p, at)
  local ops, args, n = {}, {}, 0
  local unclosed, opened, sound = 0, 0, true
  while at <= #p do
    local c, d = byte(p, at, at + 1)
    local op, arg
    if c == 40 then
      if d == 41 then op, at = POSITION, at + 2 else op, at, unclosed = OPEN, at + 1, unclosed + 1 end
      opened = opened + 1
      if opened > MAX_CAPTURES then sound = false end
    elseif c == 41 then
      op, at, unclosed = CLOSE, at + 1, unclosed - 1
      if unclosed < 0 then sound = false end
    elseif c == 36 and at == #p then
      op, at = EOS, at + 1
    elseif c == 37 and d == 98 then
      if at + 3 > #p then op, arg, at = FAULT, "unbalanced pattern", #p + 1
      else op, arg, at = BALANCE, {byte(p, at + 2, at + 3)}, at + 4 end
    elseif c == 37 and d == 102 then
      local last, fault
      if byte(p, at + 2) == 91 then last, fault = item_end(p, at + 2)
      else fault = "missing '[' after '%f' in pattern" end
      if fault then op, arg, at = FAULT, fault, #p + 1
      else op, arg, at = FRONTIER, set_of(sub(p, at + 2, last)), last + 1 end
    elseif c == 37 and d and d >= 48 and d <= 57 then
      op, arg, at = BACKREF, d - 48, at + 2
    else
      local last, fault = item_end(p, at)
      if fault then
        op, arg, at = FAULT, fault, #p + 1
      else
        op = QUANTIFIER[byte(p, last + 1)]
        arg = set_of(sub(p, at, last))
        at = last + (op and 2 or 1)
        op = op or CHAR
      end
    end
    n = n + 1
    ops[n], args[n] = op, arg
  end
  ops[n + 1] = FINISH
  return ops, args, n, sound
end

-- what the byte at an item must be for the rest to match: a set, or nil when that cannot be said; and the next real item
local function look_ahead(ops, args, i)
  local op = ops[i]
  while op == OPEN or op == CLOSE or op == POSITION do
    i = i + 1
    op = ops[i]
  end
  if op == CHAR or op == PLUS then return args[i], op end
  if op == BALANCE then return set_of(char(args[i][1])), op end
  return nil, op
end

local function disjoint(a, b)
  for c = 0, 255 do
    if a[c] and b[c] then return false end
  end
  return true
end

-- The longest subject for which the C matcher is cheap whatever the subject holds.
local function safe_length(ops, args, n, anchored)
  local paths, worst, factor = 0, 0, 1     -- powers of the length; product of what multiplies without it
  for i = 1, n do
    local op = ops[i]
    if op == STAR or op == PLUS or op == MINUS or op == OPT then
      local ahead, next_op = look_ahead(ops, args, i + 1)
      if next_op ~= FINISH then
        if op ~= OPT and paths + 1 > worst then worst = paths + 1 end
        if not (next_op == EOS and op ~= OPT or ahead and disjoint(args[i], ahead)) then
          if op == OPT then factor = factor * 2 else paths = paths + 1 end
        end
      end
    elseif op == BACKREF or op == BALANCE then
      if paths + 1 > worst then worst = paths + 1 end
    end
  end
  if paths > worst then worst = paths end
  if not anchored then worst = worst + 1 end
  factor = factor * (n + 1)
  if worst <= 1 then return floor(C_LINEAR / factor) end
  return floor((C_STEPS / factor) ^ (1 / worst))
end

local programs, program_count = {}, 0

--- The compiled form of a pattern: `safe` is the length of subjects up to which the C matcher may be used,
--- `plain` tells that `find` takes the pattern as it stands. `caret` = the first ^ is no anchor (gmatch).
local function compile(p, caret)
  local key = caret and "g" .. p or p
  local program = programs[key]
  if program then return program end
  local text = p
  local zero = find(p, "%z")             -- for C a pattern ends at its first zero byte
  if zero then text = sub(p, 1, zero - 1) end
  local anchored = not caret and byte(text) == 94
  local ops, args, n, sound = parse(text, anchored and 2 or 1)
  local ahead = {}
  for i = 0, n do ahead[i] = sound and look_ahead(ops, args, i + 1) or false end
  program = {
    ops = ops, args = args, ahead = ahead, anchored = anchored, first = ahead[0],
    safe = safe_length(ops, args, n, anchored), plain = not find(p, "[%^%$%*%+%?%.%(%[%%%-]"),
  }
  if #p <= 256 then
    if program_count >= CACHED then programs, program_count = {}, 0 end
    programs[key], program_count = program, program_count + 1
  end
  return program
end

-- The state of the match under way; every entry point sets all of it, so that a callback may match as well.
local ops, args, ahead = {}, {}, {}
local subject, length, fuel, level, fault = "", 0, 0, 0, nil
local starts, lengths = {}, {}

local run

local function finish_fault(text)
  fault = text
  return false
end

local function expand(i, at, least)
  local set, next_set = args[i], ahead[i]
  local last = at
  while last <= length and set[byte(subject, last)] do last = last + 1 end
  fuel = fuel - 2 * (last - at)
  for here = last, at + least, -1 do
    if not next_set or (here <= length and next_set[byte(subject, here)]) then
      local r = run(i + 1, here)
      if r ~= nil then return r end
    end
  end
  return nil
end

local function expand_least(i, at)
  local set, next_set = args[i], ahead[i]
  while true do
    if not next_set or (at <= length and next_set[byte(subject, at)]) then
      local r = run(i + 1, at)
      if r ~= nil then return r end
    end
    if at > length or not set[byte(subject, at)] then return nil end
    at = at + 1
    fuel = fuel - 1
  end
end

local function open(i, at, size)
  if level >= MAX_CAPTURES then return finish_fault("too many captures") end
  level = level + 1
  starts[level], lengths[level] = at, size
  local r = run(i + 1, at)
  if r == nil then level = level - 1 end
  return r
end

local function close(i, at)
  for l = level, 1, -1 do
    if lengths[l] == UNFINISHED then
      lengths[l] = at - starts[l]
      local r = run(i + 1, at)
      if r == nil then lengths[l] = UNFINISHED end
      return r
    end
  end
  return finish_fault("invalid pattern capture")
end

local function balance(pair, at)
  local opening, closing = pair[1], pair[2]
  if at > length or byte(subject, at) ~= opening then return nil end
  local depth = 1
  for here = at + 1, length do
    local c = byte(subject, here)
    if c == closing then
      depth = depth - 1
      if depth == 0 then
        fuel = fuel - (here - at)
        return here + 1
      end
    elseif c == opening then
      depth = depth + 1
    end
  end
  fuel = fuel - (length - at)
  return nil
end

local function backref(number, at)
  local size = lengths[number]
  if number < 1 or number > level or size == UNFINISHED then return finish_fault("invalid capture index") end
  if size == MARK or size > length - at + 1 then return nil end
  local from = starts[number]
  for k = 0, size - 1 do
    if byte(subject, from + k) ~= byte(subject, at + k) then
      fuel = fuel - k
      return nil
    end
  end
  fuel = fuel - size
  return at + size
end

-- Match from item `i` at position `at`: the position behind the match, nil for no match, false for a fault.
function run(i, at)
  while true do
    fuel = fuel - 1
    if fuel < 0 then return finish_fault("pattern too complex") end
    local op = ops[i]
    if op == CHAR then
      if at > length or not args[i][byte(subject, at)] then return nil end
      at = at + 1
    elseif op == FINISH then
      return at
    elseif op == STAR then
      return expand(i, at, 0)
    elseif op == PLUS then
      return expand(i, at, 1)
    elseif op == MINUS then
      return expand_least(i, at)
    elseif op == OPT then
      if at <= length and args[i][byte(subject, at)] then
        local r = run(i + 1, at + 1)
        if r ~= nil then return r end
      end
    elseif op == OPEN then
      return open(i, at, UNFINISHED)
    elseif op == POSITION then
      return open(i, at, MARK)
    elseif op == CLOSE then
      return close(i, at)
    elseif op == EOS then
      if at ~= length + 1 then return nil end
    elseif op == FRONTIER then
      local set = args[i]
      if set[at == 1 and 0 or byte(subject, at - 1)] or not set[at > length and 0 or byte(subject, at)] then return nil end
    elseif op == BALANCE or op == BACKREF then
      if op == BALANCE then at = balance(args[i], at) else at = backref(args[i], at) end
      if not at then return at end
    else
      return finish_fault(args[i])
    end
    i = i + 1
  end
end

local patterns = {compile = compile}

--- The step budget of one call on a subject of `size` bytes.
function patterns.budget(size) return STEPS + STEPS_PER_BYTE * size end

--- Search from `init`: the positions of the match's first byte and of the one behind it, and the fuel left.
--- No match: nil; a fault (bad pattern, out of fuel): false and its text.
function patterns.search(program, s, init, budget)
  ops, args, ahead = program.ops, program.args, program.ahead
  subject, length, fuel = s, #s, budget
  local first, at = program.first, init
  repeat
    if first and not program.anchored then
      local from = at
      while at <= length and not first[byte(subject, at)] do at = at + 1 end
      fuel = fuel - (at - from)
      if at > length then return nil, nil, fuel end
    end
    level = 0
    local behind = run(1, at)
    if behind then return at, behind, fuel end
    if behind == false then return false, fault end
    at = at + 1
  until program.anchored or at > length + 1
  return nil, nil, fuel
end

--- The number of captures of the match just found.
function patterns.captures() return level end

--- Capture `k` of the match just found (the whole match for 1 when there are none); nil and a text on a fault.
function patterns.capture(k, from, behind)
  if k > level then
    if k == 1 then return sub(subject, from, behind - 1) end
    return nil, "invalid capture index"
  end
  local size = lengths[k]
  if size == MARK then return starts[k] end
  if size == UNFINISHED then return nil, "unfinished capture" end
  return sub(subject, starts[k], starts[k] + size - 1)
end

--- Find `needle` as it stands, in linear time whatever both texts hold.
function patterns.find_plain(s, needle, init)
  local size = #needle
  if size == 0 then return init, init - 1 end
  local border, k = {[1] = 0}, 0
  for i = 2, size do
    local c = byte(needle, i)
    while k > 0 and byte(needle, k + 1) ~= c do k = border[k] end
    if byte(needle, k + 1) == c then k = k + 1 end
    border[i] = k
  end
  k = 0
  for i = init, #s do
    local c = byte(s, i)
    while k > 0 and byte(needle, k + 1) ~= c do k = border[k] end
    if byte(needle, k + 1) == c then k = k + 1 end
    if k == size then return i - size + 1, i end
  end
  return nil
end

return patterns
