-- The parser's place in the tokens, and what it says when a token is not the one that must come.

local faults = require("frontend.faults")

local fail, locate, quote = faults.fail, faults.locate, faults.quote
local find, match, sub = string.find, string.match, string.sub

local MAX_DEPTH = 199 -- LuaJIT's own bound for nested blocks and expressions, the runtime's wrapper counted

local cursor = {}

-- the source up to and with a token, from the beginning of the token's line
local function near(p, index)
  if p.kinds[index] == "eof" then
    return "<eof>"
  end
  local stop = p.stops[index]
  local before = match(sub(p.source, stop > 200 and stop - 200 or 1, p.starts[index] - 1), "[^\r\n]*$")
  before = match(before, "^%s*(.*)$")
  local token = match(sub(p.source, p.starts[index], stop), "^[^\r\n]*")
  if #before + #token > 38 then
    before = "..." .. (#token < 35 and sub(before, #token - 35) or "")
  end
  return quote(before .. token)
end

--- The token as it is named in a message.
function cursor.shown(p, index)
  local kind = p.kinds[index]
  return kind == "eof" and "<eof>" or quote(match(sub(p.source, p.starts[index], p.stops[index]), "^[^\r\n]*"))
end

local HINTS = {
  ["&"] = { "&", "write 'and'" },
  ["|"] = { "|", "write 'or'" },
  ["+"] = { "=", "write 'x = x + y'" },
  ["-"] = { "=", "write 'x = x - y'" },
  ["*"] = { "=", "write 'x = x * y'" },
  ["/"] = { "=", "write 'x = x / y'" },
}

--- Raises that the current token is not what must come.
---@param wanted string as in "an expression" or "')'"
function cursor.unexpected(p, wanted)
  local at = p.pos
  local kind = p.kinds[at]
  local message = "unexpected '" .. cursor.shown(p, at) .. "', expected " .. wanted .. " near '" .. near(p, at) .. "'"
  local hint = HINTS[kind]
  if hint and p.kinds[at + 1] == hint[1] and p.starts[at + 1] == p.stops[at] + 1 then
    message = message .. " (" .. hint[2] .. ")"
  elseif kind == "&" or kind == "|" then
    message = message .. " (there are no bitwise operators)"
  end
  return fail(p.starts[at], message)
end

--- Steps over the current token, which must be of this kind.
function cursor.expect(p, kind)
  local at = p.pos
  if p.kinds[at] ~= kind then
    cursor.unexpected(p, kind == "name" and "a name" or "'" .. kind .. "'")
  end
  p.pos = at + 1
end

--- Steps over what closes the construct that the token at `opener` began.
function cursor.close(p, kind, opener)
  local at = p.pos
  if p.kinds[at] ~= kind then
    local line = locate(p.source, p.starts[opener])
    local what = cursor.shown(p, opener)
    fail(
      p.starts[at],
      "'" .. kind .. "' expected (to close '" .. what .. "' at line " .. line .. ") near '" .. near(p, at) .. "'"
    )
  end
  p.pos = at + 1
end

--- Goes one level deeper. What recurses in the parser passes here, so hostile nesting ends in a clear error.
function cursor.enter(p)
  local depth = p.depth + 1
  if depth > MAX_DEPTH then
    fail(p.starts[p.pos], "nested too deeply: at most " .. MAX_DEPTH .. " levels of blocks and expressions")
  end
  p.depth = depth
end

--- Whether no line break lies between a token and the one after it.
function cursor.same_line(p, index)
  local from, to = p.stops[index] + 1, p.starts[index + 1]
  if from == to then
    return true
  end
  local at = find(p.source, "[\r\n]", from)
  return not at or at >= to
end

return cursor
