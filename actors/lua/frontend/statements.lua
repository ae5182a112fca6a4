-- Statements and blocks.

local annotations = require("frontend.annotations")
local cursor = require("frontend.cursor")
local edits = require("frontend.edits")
local expressions = require("frontend.expressions")
local faults = require("frontend.faults")
local scopes = require("frontend.scopes")

local close, enter, expect, unexpected = cursor.close, cursor.enter, cursor.expect, cursor.unexpected
local fail = faults.fail
local body, expression, expression_list = expressions.body, expressions.expression, expressions.list
local safepoint, suffixed = expressions.safepoint, expressions.suffixed
local annotation, is_alias = annotations.annotation, annotations.is_alias
local close_block, declare, open_block = scopes.close_block, scopes.declare, scopes.open_block
local concat = table.concat

local MAX_BRANCHES = expressions.MAX_BRANCHES

local statements = {}

local ENDS_BLOCK = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true, eof = true }

-- A block with a scope of its own, and a safepoint before it if it is the body of a loop.
local function scoped_block(p, is_loop)
  open_block(p.scope, is_loop)
  if is_loop then
    safepoint(p, p.stops[p.pos - 1] + 1)
  end
  p.block(p)
  close_block(p.scope)
end

local statement = {}

statement["if"] = function(p)
  local opener = p.pos
  local kinds = p.kinds
  local arms = 0
  repeat
    local at = p.pos
    arms = arms + 1
    if arms > MAX_BRANCHES then
      fail(p.starts[at], "more than " .. MAX_BRANCHES .. " branches in one 'if': split it up")
    end
    p.branches = 0
    p.pos = at + 1
    expression(p)
    if kinds[p.pos] ~= "then" then
      unexpected(p, "'then' after the condition of '" .. kinds[at] .. "'")
    end
    p.pos = p.pos + 1
    scoped_block(p)
  until kinds[p.pos] ~= "elseif"
  if kinds[p.pos] == "else" then
    p.pos = p.pos + 1
    scoped_block(p)
  end
  close(p, "end", opener)
end

statement["while"] = function(p)
  local opener = p.pos
  p.pos = opener + 1
  expression(p)
  if p.kinds[p.pos] ~= "do" then
    unexpected(p, "'do' after the condition of 'while'")
  end
  p.pos = p.pos + 1
  scoped_block(p, true)
  close(p, "end", opener)
end

statement["do"] = function(p)
  local opener = p.pos
  p.pos = opener + 1
  scoped_block(p)
  close(p, "end", opener)
end

-- The condition sees the locals of the body: both are in one scope.
statement["repeat"] = function(p)
  local opener = p.pos
  local scope = p.scope
  p.pos = opener + 1
  open_block(scope, true)
  open_block(scope)
  safepoint(p, p.stops[opener] + 1)
  p.block(p)
  close(p, "until", opener)
  expression(p)
  close_block(scope)
  close_block(scope)
end

statement["for"] = function(p)
  local kinds, texts, scope, opener = p.kinds, p.texts, p.scope, p.pos
  local first = opener + 1
  p.pos = first
  expect(p, "name")
  annotation(p)
  local names, offsets
  open_block(scope, true)
  if kinds[p.pos] == "=" then
    names, offsets = { texts[first] }, { p.starts[first] }
    p.pos = p.pos + 1
    expression(p)
    if kinds[p.pos] ~= "," then
      unexpected(p, "',' and the limit of the loop")
    end
    p.pos = p.pos + 1
    expression(p)
    if kinds[p.pos] == "," then
      p.pos = p.pos + 1
      expression(p)
    end
  elseif kinds[p.pos] == "," or kinds[p.pos] == "in" then
    names, offsets = { texts[first] }, { p.starts[first] }
    while kinds[p.pos] == "," do
      local at = p.pos + 1
      p.pos = at
      expect(p, "name")
      annotation(p)
      names[#names + 1], offsets[#offsets + 1] = texts[at], p.starts[at]
    end
    if kinds[p.pos] ~= "in" then
      unexpected(p, "'in' after the variables of 'for'")
    end
    p.pos = p.pos + 1
    expression_list(p)
  else
    unexpected(p, "'=' or 'in' after the variable of 'for'")
  end
  if kinds[p.pos] ~= "do" then
    unexpected(p, "'do' after the head of 'for'")
  end
  p.pos = p.pos + 1
  scopes.declare_hidden(scope, p.starts[first])
  open_block(scope)
  for i = 1, #names do
    declare(scope, names[i], offsets[i])
  end
  safepoint(p, p.stops[p.pos - 1] + 1)
  p.block(p)
  close_block(scope)
  close_block(scope)
  close(p, "end", opener)
end

statement["function"] = function(p)
  local kinds, texts, keyword = p.kinds, p.texts, p.pos
  local at = keyword + 1
  p.pos = at
  if kinds[at] ~= "name" then
    unexpected(p, "the name of the function")
  end
  p.pos = at + 1
  scopes.use(p.scope, texts[at], p.starts[at])
  local name, is_method = { texts[at] }, false
  if kinds[p.pos] ~= "." and kinds[p.pos] ~= ":" then
    scopes.assign(p.scope, texts[at])
  end
  while not is_method and (kinds[p.pos] == "." or kinds[p.pos] == ":") do
    is_method = kinds[p.pos] == ":"
    p.pos = p.pos + 1
    expect(p, "name")
    name[#name + 1] = is_method and ":" or "."
    name[#name + 1] = texts[p.pos - 1]
  end
  body(p, keyword, concat(name), is_method)
end

local function refuse_attribute(p)
  if p.kinds[p.pos] == "<" then
    fail(p.starts[p.pos], "attributes such as <const> and <close> are not available")
  end
end

statement["local"] = function(p)
  local kinds, texts, scope = p.kinds, p.texts, p.scope
  local at = p.pos + 1
  p.pos = at
  if kinds[at] == "function" then
    p.pos = at + 1
    expect(p, "name")
    declare(scope, texts[at + 1], p.starts[at + 1])
    body(p, at, texts[at + 1])
    return
  elseif kinds[at] ~= "name" then
    unexpected(p, "a name or 'function' after 'local'")
  end
  p.pos = at + 1
  refuse_attribute(p)
  annotation(p)
  local names, count = nil, 1
  while kinds[p.pos] == "," do
    names = names or { at }
    count = count + 1
    names[count] = p.pos + 1
    p.pos = p.pos + 1
    expect(p, "name")
    refuse_attribute(p)
    annotation(p)
  end
  if kinds[p.pos] == "=" then
    p.pos = p.pos + 1
    expression_list(p)
  end
  for i = 1, count do
    local index = names and names[i] or at
    declare(scope, texts[index], p.starts[index])
  end
end

-- Labels in a row, with the types declared among them: they end their block if nothing follows but its end.
statement["::"] = function(p)
  local kinds, scope = p.kinds, p.scope
  local names = {}
  repeat
    if kinds[p.pos] == "::" then
      local at = p.pos + 1
      p.pos = at
      expect(p, "name")
      names[#names + 1] = p.texts[at]
      scopes.label(scope, p.texts[at], p.starts[at])
      close(p, "::", at - 1)
    else
      annotations.alias(p)
    end
  until kinds[p.pos] ~= "::" and not is_alias(p)
  local trailing = ENDS_BLOCK[kinds[p.pos]] and kinds[p.pos] ~= "until" or false
  for i = #names, 1, -1 do
    scopes.settle_label(scope, names[i], trailing)
  end
end

local function goto_statement(p)
  local at = p.pos
  safepoint(p, p.starts[at])
  scopes.jump(p.scope, p.texts[at + 1], p.starts[at])
  p.pos = at + 2
end

-- Assignments and calls.
local function expression_statement(p)
  local kinds, scope = p.kinds, p.scope
  local at = p.pos
  if kinds[at] ~= "name" and kinds[at] ~= "(" then
    unexpected(p, "a statement")
  end
  local shape = suffixed(p)
  local kind = kinds[p.pos]
  if shape == "call" and kind ~= "=" and kind ~= "," then
    return
  end
  while true do
    if shape ~= "name" and shape ~= "field" then
      if kind == "=" or kind == "," then
        fail(p.starts[at], "cannot assign to this: only a variable or a field can stand before '='")
      end
      unexpected(p, "'=' or a call: an expression alone is no statement")
    end
    if shape == "name" then
      scopes.assign(scope, p.texts[at])
    end
    if kind ~= "," then
      break
    end
    at = p.pos + 1
    p.pos = at
    shape = suffixed(p)
    kind = kinds[p.pos]
  end
  if kind ~= "=" then
    unexpected(p, "'=' or a call: an expression alone is no statement")
  end
  p.pos = p.pos + 1
  expression_list(p)
end

local function return_statement(p)
  local at = p.pos
  p.pos = at + 1
  local kind = p.kinds[p.pos]
  if not ENDS_BLOCK[kind] and kind ~= ";" then
    local fn = p.scope.fn
    fn.returns = true
    p.returned = p.pos
    if expression_list(p) > 1 then
      fn.acts = true
    end
  end
end

local function break_statement(p)
  if p.scope.fn.loops == 0 then
    fail(p.starts[p.pos], "'break' outside of a loop")
  end
  p.pos = p.pos + 1
end

-- After `return` and `break` a block must end.
local function last_statement(p)
  local kinds, at = p.kinds, p.pos
  if kinds[at] == "return" then
    return_statement(p)
  else
    break_statement(p)
  end
  if kinds[p.pos] == ";" then
    p.pos = p.pos + 1
  end
  while is_alias(p) do
    annotations.alias(p)
  end
  if not ENDS_BLOCK[kinds[p.pos]] then
    unexpected(p, "the end of the block after '" .. kinds[at] .. "'")
  end
end

--- The statements of a block, up to the token that ends it; the scope is the caller's.
function statements.block(p)
  enter(p)
  local kinds = p.kinds
  local open = false -- whether a statement came that no semicolon ended
  while true do
    local at = p.pos
    local kind = kinds[at]
    local handler = statement[kind]
    if (kind == "name" or kind == "local") and is_alias(p) then
      annotations.alias(p)
    elseif ENDS_BLOCK[kind] then
      break
    elseif kind == "return" or kind == "break" then
      last_statement(p)
      break
    else
      if kind == "(" and open and p.erased == at - 1 then
        edits.end_statement(p.edits) -- without the annotation between them, the parenthesis would be a call
      end
      p.branches = 0
      if kind ~= "local" then
        p.scope.fn.acts = true
      end
      if handler then
        handler(p)
      elseif kind == "name" and p.texts[at] == "goto" and kinds[at + 1] == "name" and p.texts[at + 1] ~= "goto" then
        goto_statement(p)
      else
        expression_statement(p)
      end
      open = kinds[p.pos] ~= ";"
      if not open then
        p.pos = p.pos + 1
      end
    end
  end
  p.depth = p.depth - 1
end

return statements
