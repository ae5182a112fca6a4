-- The one front end of Lua sources: what a process runs has passed here. It inserts the safepoints that make processes
-- preemptible (design.md §4), erases type annotations (spec types.md), and refuses what is not Lua with the place.
-- Everything else of a source stays byte for byte, and every token keeps its line.

local cursor = require("frontend.cursor")
local edits = require("frontend.edits")
local expressions = require("frontend.expressions")
local faults = require("frontend.faults")
local lexer = require("frontend.lexer")
local scopes = require("frontend.scopes")
local statements = require("frontend.statements")

local error, pcall = error, pcall
local find, sub = string.find, string.sub

-- The wrapper in which the text is compiled costs LuaJIT two levels of nesting before the first statement.
local WRAPPER_DEPTH = 2

local frontend = {}

-- The byte after a byte order mark and a first line that begins with `#`; both mean nothing behind the wrapper's head.
local function first_byte(source)
  local first = sub(source, 1, 3) == "\239\187\191" and 4 or 1
  if sub(source, first, first) == "#" then
    first = find(source, "[\r\n]", first) or #source + 1
  end
  return first
end

local function parse(source)
  local first = first_byte(source)
  if sub(source, first, first) == "\27" then
    faults.fail(first, "this is compiled code (bytecode): only sources can be loaded")
  end
  local kinds, starts, stops, texts = lexer.tokenize(source, first)
  local p = {
    source = source,
    kinds = kinds,
    starts = starts,
    stops = stops,
    texts = texts,
    pos = 1,
    depth = WRAPPER_DEPTH,
    nested = false, -- inside of brackets, where no statement can begin
    branches = 0, -- 'and' and 'or' in the statement so far
    erased = 0, -- the last token that was erased
    returned = 0, -- the first token behind the last `return`
    stateless = false,
    edits = edits.new(),
    scope = scopes.new(source),
    expression = expressions.expression,
    block = statements.block,
  }
  if first > 1 then
    edits.insert(p.edits, 1, "")
    p.edits.last[1] = first - 1
  end
  scopes.open_function(p.scope, nil, 1, true)
  local main = p.scope.fn
  p.block(p)
  if kinds[p.pos] ~= "eof" then
    cursor.unexpected(p, "a statement or the end of the source")
  end
  scopes.close_function(p.scope)
  scopes.check_types(p.scope)
  p.stateless = scopes.stateless(p.scope, main)
  return p
end

-- A fault as callers get it; anything else is an error of the front end itself, or of memory, and goes on.
local function described(source, fault)
  if not faults.is(fault) then
    error(fault, 0)
  end
  local line, column = faults.locate(source, fault.offset)
  return { line = line, column = column, message = fault.message }
end

--- Makes a source ready to be compiled as the body of a vararg function that has `__r` as an upvalue.
---@param source string any bytes
---@return string|nil text the source with safepoints and without annotations, token by token on the same lines
---@return boolean|table stateless whether processes can share what one run of the top level returns; or instead of both
---  the fault {line=, column=, message=}: the numbers count from 1, columns in bytes
function frontend.translate(source)
  local ok, p = pcall(parse, source)
  if not ok then
    return nil, described(source, p)
  end
  return edits.apply(p.edits, source), p.stateless
end

--- Parses a source and keeps nothing.
---@return table|nil counts {tokens=, edits=, lines=}
---@return table|nil fault as of `translate`
function frontend.check(source)
  local ok, p = pcall(parse, source)
  if not ok then
    return nil, described(source, p)
  end
  return { tokens = #p.kinds - 1, edits = p.edits.count, lines = (faults.locate(source, #source + 1)) }, nil
end

return frontend
