-- Where annotations stand, and that they go (spec types.md §1, §2). What they say is `frontend.types`' matter.

local cursor = require("frontend.cursor")
local edits = require("frontend.edits")
local faults = require("frontend.faults")
local scopes = require("frontend.scopes")
local types = require("frontend.types")

local same_line, unexpected = cursor.same_line, cursor.unexpected
local return_type, type_of, type_parameters = types.of_return, types.of, types.parameters

local annotations = {}

-- Takes the tokens from `first` to the one before the current token out of the text.
local function erase(p, first, mark)
  local last = p.pos - 1
  edits.erase(p.edits, p.source, p.starts[first], p.stops[last], mark)
  p.erased = last
end

--- Erases `: T`, where one stands.
function annotations.annotation(p)
  if p.kinds[p.pos] == ":" then
    local first, mark = p.pos, p.edits.count
    p.pos = first + 1
    type_of(p)
    erase(p, first, mark)
  end
end

--- Erases `: T`, `: (T, U)` or `: x is T` behind a parameter list, where one stands.
---@param parameters table<string, boolean>|nil the names of the parameters
function annotations.return_annotation(p, parameters)
  if p.kinds[p.pos] == ":" then
    local first, mark = p.pos, p.edits.count
    p.pos = first + 1
    return_type(p, parameters)
    erase(p, first, mark)
  end
end

--- Erases `<T, U>` behind the name of a function, where it stands.
function annotations.generics(p)
  if p.kinds[p.pos] == "<" then
    local first, mark = p.pos, p.edits.count
    type_parameters(p)
    erase(p, first, mark)
  end
end

--- Erases one `!`, inside of a chain such as `a!.b`.
function annotations.assertion(p)
  local at = p.pos
  if p.kinds[at + 1] == "=" and p.starts[at + 1] == p.starts[at] + 1 then
    faults.fail(p.starts[at], "'!=' is no operator of Lua: write '~='")
  end
  p.pos = at + 1
  erase(p, at, p.edits.count)
end

-- Whether `as` after an operand begins a cast: it is a name too, and may begin the next statement.
local NO_TYPE = { ["="] = true, ["."] = true, [":"] = true, ["["] = true, [","] = true }
local CALLS = { ["("] = true, ["{"] = true, string = true }

local function as_casts(p, at)
  local following = p.kinds[at + 1]
  if CALLS[following] then
    return p.nested or same_line(p, at - 1)
  end
  return not NO_TYPE[following]
end

-- Whether a cast begins at the current token, as `as T` or `:: T`.
local function at_cast(p)
  local kinds, at = p.kinds, p.pos
  if kinds[at] == "::" then
    -- `::name::` is a label wherever a statement may begin
    return p.nested or kinds[at + 1] ~= "name" or kinds[at + 2] ~= "::"
  end
  return p.texts[at] == "as" and as_casts(p, at)
end

--- Erases what may follow an operand: `as T`, `:: T` and `!`, any number of them.
function annotations.casts(p)
  while true do
    if p.kinds[p.pos] == "!" then
      annotations.assertion(p)
    elseif at_cast(p) then
      local first, mark = p.pos, p.edits.count
      p.pos = first + 1
      type_of(p, true)
      erase(p, first, mark)
    else
      return
    end
  end
end

--- Whether an alias begins here: `type Name`, `export type Name`, and `local type Name` on one line. (On two lines
--- it is `local type` and a statement that begins with the other name.)
function annotations.is_alias(p)
  local kinds, texts, at = p.kinds, p.texts, p.pos
  if kinds[at] == "local" then
    return texts[at + 1] == "type" and kinds[at + 2] == "name" and texts[at + 2] ~= "goto" and same_line(p, at + 1)
  elseif texts[at] == "type" then
    return kinds[at + 1] == "name"
  end
  return texts[at] == "export" and texts[at + 1] == "type" and kinds[at + 2] == "name"
end

--- Erases an alias with the semicolon behind it, and makes its name known as a type's.
function annotations.alias(p)
  local first, mark = p.pos, p.edits.count
  local at = p.texts[first] == "type" and first + 1 or first + 2
  scopes.declare_type(p.scope, p.texts[at])
  p.pos = at + 1
  if p.kinds[p.pos] == "<" then
    type_parameters(p)
  end
  if p.kinds[p.pos] ~= "=" then
    unexpected(p, "'=' and the type that '" .. p.texts[at] .. "' stands for")
  end
  p.pos = p.pos + 1
  type_of(p)
  if p.kinds[p.pos] == ";" then
    p.pos = p.pos + 1
  end
  erase(p, first, mark)
end

return annotations
