-- The grammar of types (spec types.md §1): recognized and checked for its form; nothing is known of what a type means.
-- Each function begins at the first token of its construct and leaves `p.pos` behind the last one.

local cursor = require("frontend.cursor")

local enter, expect, same_line, unexpected = cursor.enter, cursor.expect, cursor.same_line, cursor.unexpected
local close = cursor.close

local types = {}
local type_of, return_type

-- Names in an erased expression capture nothing, functions in it are not compiled, and nothing of it is done.
local function erased_expression(p)
  local fn = p.scope.fn
  local acts = fn.acts
  p.scope.erasing = p.scope.erasing + 1
  p.expression(p)
  p.scope.erasing = p.scope.erasing - 1
  fn.acts = acts
end

-- In `e as T < x` it must be told whether type arguments follow: only if tokens that types are made of lead to a `>`.
local PART_OF_TYPE = {}
for kind in ([[name string number nil true false , . ? | & { } [ ] ( ) : ; -> ... @ < - ]]):gmatch("%S+") do
  PART_OF_TYPE[kind] = true
end
local VALUE = { name = true, string = true, number = true }

local MAX_ARGUMENT_TOKENS = 4096 -- so that hostile nesting does not look ahead over the same tokens again and again
local OPENING = { ["("] = true, ["{"] = true, ["["] = true }
local CLOSING = { [")"] = true, ["}"] = true, ["]"] = true }

local function arguments_follow(p)
  local kinds, texts, angles, brackets = p.kinds, p.texts, 1, 0
  local previous, in_typeof = "<", nil
  for at = p.pos + 1, p.pos + MAX_ARGUMENT_TOKENS do
    local kind = kinds[at]
    if kind == "eof" then
      return false
    elseif OPENING[kind] then
      if texts[at - 1] == "typeof" then
        in_typeof = in_typeof or brackets
      end
      brackets = brackets + 1
    elseif CLOSING[kind] then
      brackets = brackets - 1
      if brackets < 0 then
        return false
      elseif brackets == in_typeof then
        in_typeof = nil
      end
    elseif not in_typeof then
      if kind == ">" then
        angles = angles - 1
        if angles == 0 then
          local following = kinds[at + 1]
          return not (p.nested and (VALUE[following] or following == "("))
        end
      elseif kind == "<" then
        angles = angles + 1
      elseif not PART_OF_TYPE[kind] or VALUE[previous] and VALUE[kind] and texts[at - 1] ~= "readonly" then
        return false
      end
    end
    previous = kind
  end
  return false
end

local function arguments(p)
  local opener = p.pos
  p.pos = opener + 1
  repeat
    type_of(p)
    local more = p.kinds[p.pos] == ","
    if more then
      p.pos = p.pos + 1
    end
  until not more
  close(p, ">", opener)
end

local function table_type(p)
  local kinds, texts = p.kinds, p.texts
  local opener = p.pos
  p.pos = opener + 1
  while kinds[p.pos] ~= "}" do
    local at = p.pos
    if texts[at] == "readonly" and (kinds[at + 1] == "name" or kinds[at + 1] == "[") then
      at = at + 1
      p.pos = at
    end
    if kinds[at] == "[" then
      p.pos = at + 1
      type_of(p)
      close(p, "]", at)
      expect(p, ":")
    elseif kinds[at] == "name" and kinds[at + 1] == ":" then
      p.pos = at + 2
    elseif kinds[at] == "name" and kinds[at + 1] == "?" and kinds[at + 2] == ":" then
      p.pos = at + 3
    end
    type_of(p)
    local kind = kinds[p.pos]
    if kind == "," or kind == ";" then
      p.pos = p.pos + 1
    elseif kind ~= "}" then
      close(p, "}", opener)
    end
  end
  p.pos = p.pos + 1
end

-- One entry of `(T, name: U, ...V)`. Returns whether it can only be a parameter, and its name.
local function parameter(p)
  local kinds, at = p.kinds, p.pos
  if kinds[at] == "..." then
    p.pos = at + 1
    if kinds[p.pos] == ":" then
      p.pos = p.pos + 1
      type_of(p)
    elseif kinds[p.pos] ~= ")" then
      type_of(p)
    end
    return true
  end
  local name = kinds[at] == "name" and kinds[at + 1] == ":" and p.texts[at]
  if name then
    p.pos = at + 2
  end
  type_of(p)
  return name and true, name
end

-- `(T)`, `(T, U) -> R`, and where a return type stands also `(T, U)`. Returns true for such a list: it takes no suffix.
local function parenthesized(p, ambiguous, returning)
  local kinds, opener = p.kinds, p.pos
  local count, named, names = 0, false, nil
  p.pos = opener + 1
  while kinds[p.pos] ~= ")" do
    local only_parameter, name = parameter(p)
    count = count + 1
    named = named or only_parameter
    if name then
      names = names or {}
      names[name] = true
    end
    if kinds[p.pos] ~= "," then
      break
    end
    p.pos = p.pos + 1
    if kinds[p.pos] == ")" then
      unexpected(p, "a type")
    end
  end
  close(p, ")", opener)
  if kinds[p.pos] == "->" then
    p.pos = p.pos + 1
    return_type(p, names, ambiguous)
    return true
  elseif count == 1 and not named then
    return false
  elseif returning then
    return true
  end
  return unexpected(p, "'->' and the return type of a function type")
end

local LITERAL = { string = true, number = true, ["nil"] = true, ["true"] = true, ["false"] = true }

-- Returns true if no suffix may follow.
local function primary(p, ambiguous, returning)
  local kinds, at = p.kinds, p.pos
  local kind = kinds[at]
  if kind == "name" then
    p.pos = at + 1
    if p.texts[at] == "typeof" and kinds[at + 1] == "(" then
      p.pos = at + 2
      local nested = p.nested
      p.nested = true
      erased_expression(p)
      p.nested = nested
      close(p, ")", at + 1)
      return false
    end
    while kinds[p.pos] == "." do
      p.pos = p.pos + 1
      expect(p, "name")
    end
    if kinds[p.pos] == "<" and not (ambiguous and not arguments_follow(p)) then
      arguments(p)
    end
    return false
  elseif LITERAL[kind] then
    p.pos = at + 1
    return false
  elseif kind == "-" and kinds[at + 1] == "number" then
    p.pos = at + 2
    return false
  elseif kind == "{" then
    table_type(p)
    return false
  elseif kind == "(" then
    return parenthesized(p, ambiguous, returning)
  end
  return unexpected(p, "a type")
end

-- `@name` and `@name(args)`
local function validator(p)
  local kinds = p.kinds
  p.pos = p.pos + 1
  expect(p, "name")
  local opener = p.pos
  if kinds[opener] ~= "(" or not same_line(p, opener - 1) then
    return
  end
  p.pos = opener + 1
  local nested = p.nested
  p.nested = true
  while kinds[p.pos] ~= ")" do
    erased_expression(p)
    if kinds[p.pos] ~= "," then
      break
    end
    p.pos = p.pos + 1
  end
  p.nested = nested
  close(p, ")", opener)
end

--- A type. `ambiguous`: it stands in an expression, where `<` may also compare. `returning`: a list may stand for it.
function type_of(p, ambiguous, returning)
  enter(p)
  local kinds = p.kinds
  local kind = kinds[p.pos]
  if kind == "|" or kind == "&" then
    p.pos = p.pos + 1
  end
  while true do
    if primary(p, ambiguous, returning) then
      break
    end
    kind = kinds[p.pos]
    while kind == "?" or kind == "@" do
      if kind == "@" then
        validator(p)
      else
        p.pos = p.pos + 1
      end
      kind = kinds[p.pos]
    end
    if kind ~= "|" and kind ~= "&" then
      break
    end
    p.pos = p.pos + 1
    returning = false
  end
  p.depth = p.depth - 1
end

-- What stands after the `:` of a function or the `->` of a function type. `x is T` says what a true result tells of
-- parameter x: only a name of a parameter makes it one, as `is` stays an ordinary name.
function return_type(p, parameters, ambiguous)
  local kinds, at = p.kinds, p.pos
  if kinds[at] == "..." then
    p.pos = at + 1
  elseif p.texts[at + 1] == "is" and parameters and parameters[p.texts[at]] and kinds[at + 2] ~= "=" then
    p.pos = at + 2
  end
  type_of(p, ambiguous, true)
end

--- `<T: Bound = Default, U>`
function types.parameters(p)
  local kinds, opener = p.kinds, p.pos
  p.pos = opener + 1
  while true do
    expect(p, "name")
    if kinds[p.pos] == ":" then
      p.pos = p.pos + 1
      type_of(p)
    end
    if kinds[p.pos] == "=" then
      p.pos = p.pos + 1
      type_of(p)
    end
    if kinds[p.pos] ~= "," then
      break
    end
    p.pos = p.pos + 1
  end
  close(p, ">", opener)
end

types.of = type_of
types.of_return = return_type

return types
