-- Bytes to tokens, by LuaJIT's own rules of what a name, a number, a string and a line are.
--
-- Tokens are kept as parallel arrays: a source of 2,000 lines has some 15,000 of them, and a table for each would cost
-- more than all of the parsing.

local faults = require("frontend.faults")

local byte, find, match, sub = string.byte, string.find, string.match, string.sub
local fail, quote = faults.fail, faults.quote
local char, rep, tonumber = string.char, string.rep, tonumber

--- The one name that a source may not use: what it stands for is an upvalue of every instrumented function.
local RESERVED = "__r"

local KEYWORDS = {}
for word in
  ([[and break do else elseif end false for function if in local nil not or repeat return then true until while]])
  :gmatch("%a+")
do
  KEYWORDS[word] = true
end

local SPACE, DIGIT, NAME_START, NAME_PART, SINGLE = {}, {}, {}, {}, {}
for c = 0, 255 do
  local text = char(c)
  SPACE[c] = find(text, "^[ \t\n\v\f\r]") ~= nil
  DIGIT[c] = find(text, "^[0-9]") ~= nil
  NAME_START[c] = find(text, "^[A-Za-z_]") ~= nil or c >= 128
  NAME_PART[c] = NAME_START[c] or DIGIT[c]
  SINGLE[c] = find(text, "^[-+*/%%^#<>=(){}%[%];:,.?!|&@]") ~= nil and text
end

-- by first byte: what a second byte makes of it. `>=` stays two tokens, as `A<T>= x` has both; the parser joins them.
local PAIR = {
  [61] = { [61] = "==" },
  [60] = { [61] = "<=" },
  [126] = { [61] = "~=" },
  [58] = { [58] = "::" },
  [45] = { [62] = "->" },
}

-- what may follow a backslash in a short string and stands for itself or one byte
local SIMPLE_ESCAPE = {}
for c in ([[abfnrtv\"']]):gmatch(".") do
  SIMPLE_ESCAPE[byte(c)] = true
end

local function escape(source, at)
  local c = byte(source, at + 1)
  if not c then
    return at + 1
  elseif SIMPLE_ESCAPE[c] then
    return at + 2
  elseif c == 10 or c == 13 then
    local second = byte(source, at + 2)
    return (second == 10 or second == 13) and second ~= c and at + 3 or at + 2
  elseif DIGIT[c] then
    local digits = match(source, "^%d%d?%d?", at + 1)
    if tonumber(digits) > 255 then
      fail(at, "escape '\\" .. digits .. "' is too large: one byte is at most \\255")
    end
    return at + 1 + #digits
  elseif c == 120 then
    if not find(source, "^%x%x", at + 2) then
      fail(at, "escape '\\x' needs two hexadecimal digits")
    end
    return at + 4
  elseif c == 122 then
    return find(source, "[^ \t\n\v\f\r]", at + 2) or #source + 1
  elseif c == 117 then
    local digits = match(source, "^{(%x+)}", at + 2)
    local code = digits and tonumber((match(digits, "^0*(.*)$")), 16) or digits and 0
    if not code or #match(digits, "^0*(.*)$") > 6 or code >= 0x110000 or code >= 0xD800 and code < 0xE000 then
      fail(at, "escape '\\u' needs a Unicode code point in braces, as in \\u{20AC}")
    end
    return at + 4 + #digits
  end
  return fail(at, "invalid escape '\\" .. quote(char(c)) .. "' in a string")
end

-- the last byte of the short string that begins at `start`
local function short_string(source, start, delimiter)
  local stoppers = delimiter == 34 and '["\\\r\n]' or "['\\\r\n]"
  local at = start + 1
  while true do
    at = find(source, stoppers, at)
    if not at then
      fail(start, "unfinished string: no closing " .. char(delimiter) .. " before the end of the source")
    end
    local c = byte(source, at)
    if c == delimiter then
      return at
    elseif c ~= 92 then
      fail(start, "unfinished string near '" .. quote(sub(source, start, at - 1)) .. "'")
    end
    at = escape(source, at)
  end
end

-- the last byte of the long bracket that begins at `start`, or nil where none begins
local function long_bracket(source, start, what)
  local level = match(source, "^%[(=*)%[", start)
  if not level then
    return nil
  end
  local _, stop = find(source, "]" .. level .. "]", start + #level + 2, true)
  if not stop then
    fail(start, "unfinished " .. what .. ": no closing ']" .. quote(level) .. "]' before the end of the source")
  end
  return stop
end

-- the last byte of the number that begins at `start`
local function number(source, start)
  local stop = start
  local c = byte(source, start)
  local exponent = 101
  if c == 48 and find(source, "^[xX]", start + 1) then
    exponent = 112
  end
  local previous = 0
  while NAME_PART[c] or c == 46 or ((c == 43 or c == 45) and (previous == exponent or previous == exponent - 32)) do
    previous, stop = c, stop + 1
    c = byte(source, stop)
  end
  stop = stop - 1
  local text = sub(source, start, stop)
  if tonumber(text) == nil or find(text, "[uUlL]", -1) then
    if find(text, "^[%x.xXpP+-]-[uU]?[lL][lL]$") or find(text, "^[%x.xXpP+-]*[iI]$") then
      fail(start, "the literal '" .. quote(text) .. "' is LuaJIT's own and not available: numbers are doubles")
    end
    fail(start, "malformed number near '" .. quote(text) .. "'")
  end
  return stop
end

local lexer = {}

--- Splits a source into tokens. The kind of a token is "name", "number", "string", "eof", or its own text: `while`,
--- `..`, `(`. `goto` is a name, as LuaJIT has it, and becomes a statement only before another name.
---@param source string
---@param first integer the byte to begin at
---@return table kinds, table starts, table stops, table texts the text of a name, else false; all four of one length
function lexer.tokenize(source, first)
  local kinds, starts, stops, texts = {}, {}, {}, {}
  local count, i = 0, first
  while true do
    local c = byte(source, i)
    while SPACE[c] do
      i = i + 1
      c = byte(source, i)
    end
    if not c then
      break
    end
    local kind, stop, text = nil, i, false
    if NAME_START[c] then
      repeat
        stop = stop + 1
      until not NAME_PART[byte(source, stop)]
      stop = stop - 1
      text = sub(source, i, stop)
      if KEYWORDS[text] then
        kind, text = text, false
      else
        kind = "name"
        if text == RESERVED then
          fail(i, "the name '" .. RESERVED .. "' is reserved for the runtime: use another one")
        end
      end
    elseif DIGIT[c] then
      kind, stop = "number", number(source, i)
    elseif c == 34 or c == 39 then
      kind, stop = "string", short_string(source, i, c)
    else
      local second = byte(source, i + 1)
      if c == 45 and second == 45 then
        stop = byte(source, i + 2) == 91 and long_bracket(source, i + 2, "comment")
        if not stop then
          stop = (find(source, "[\r\n]", i + 2) or #source + 1) - 1
        end
      elseif c == 91 and (second == 91 or second == 61) then
        kind, stop = "string", long_bracket(source, i, "string")
        if not stop then
          fail(i, "malformed long bracket near '" .. quote(match(source, "^%[=*.?", i)) .. "'")
        end
      elseif c == 46 and second == 46 then
        if byte(source, i + 2) == 46 then
          kind, stop = "...", i + 2
        else
          kind, stop = "..", i + 1
        end
      elseif c == 46 and DIGIT[second] then
        kind, stop = "number", number(source, i)
      elseif c == 47 and second == 47 then
        fail(i, "the operator '//' is not available: write math.floor(a / b)")
      else
        kind = PAIR[c] and PAIR[c][second]
        if kind then
          stop = i + 1
        else
          kind = SINGLE[c]
          if not kind then
            if c == 126 then
              fail(i, "the operator '~' is not available: there are no bitwise operators, and 'not equal' is '~='")
            end
            fail(i, "unexpected symbol near '" .. quote(char(c)) .. "'")
          end
        end
      end
    end
    if kind then
      count = count + 1
      kinds[count], starts[count], stops[count], texts[count] = kind, i, stop, text
    end
    i = stop + 1
  end
  count = count + 1
  kinds[count], starts[count], stops[count], texts[count] = "eof", #source + 1, #source, false
  return kinds, starts, stops, texts
end

return lexer
