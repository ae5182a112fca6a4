-- Expressions and function bodies. Nothing is kept of them but who uses which name: the order of operators does not
-- matter to what is inserted or erased, so operands and operators are read in one flat row.

local annotations = require("frontend.annotations")
local cursor = require("frontend.cursor")
local edits = require("frontend.edits")
local faults = require("frontend.faults")
local scopes = require("frontend.scopes")

local close, enter, expect, unexpected = cursor.close, cursor.enter, cursor.expect, cursor.unexpected
local fail = faults.fail
local insert = edits.insert
local same_line = cursor.same_line
local annotation, assertion, casts = annotations.annotation, annotations.assertion, annotations.casts
local declare, use = scopes.declare, scopes.use

--- What a process passes at every turn: when its slice is used up, it gives way (design.md §4). One upvalue, no local.
local SAFEPOINT = " __r.n=__r.n-1 if __r.n<0 then __r.y() end "

local MAX_BRANCHES = 16384 -- a jump of LuaJIT reaches over twice as many instructions

local expressions = { MAX_BRANCHES = MAX_BRANCHES }
local expression

--- Puts a safepoint before a byte of the source.
local function safepoint(p, before)
  insert(p.edits, before, SAFEPOINT)
end
expressions.safepoint = safepoint

local LITERAL = { number = true, string = true, ["nil"] = true, ["true"] = true, ["false"] = true }
local UNARY = { ["-"] = true, ["not"] = true, ["#"] = true }
local BINARY = {}
for kind in ([[+ - * / % ^ .. < > <= == ~= and or]]):gmatch("%S+") do
  BINARY[kind] = true
end

-- what binds its operands tighter than `..`
local TIGHTER = { ["+"] = true, ["-"] = true, ["*"] = true, ["/"] = true, ["%"] = true, ["^"] = true }

--- One or more expressions. Returns how many.
local function expression_list(p)
  expression(p)
  local count = 1
  while p.kinds[p.pos] == "," do
    p.pos = p.pos + 1
    count = count + 1
    expression(p)
  end
  return count
end
expressions.list = expression_list

local function table_constructor(p)
  local kinds, opener = p.kinds, p.pos
  local nested, branches, fn = p.nested, p.branches, p.scope.fn
  if opener ~= p.returned then
    fn.acts = true
  end
  p.nested = true
  p.pos = opener + 1
  while kinds[p.pos] ~= "}" do
    p.branches = branches
    local at = p.pos
    if kinds[at] == "name" and kinds[at + 1] == "=" then
      p.pos = at + 2
    elseif kinds[at] == "[" then
      if kinds[at + 1] ~= "string" or kinds[at + 2] ~= "]" then
        fn.acts = true
      end
      p.pos = at + 1
      expression(p)
      close(p, "]", at)
      expect(p, "=")
    else
      fn.acts = true
    end
    expression(p)
    local kind = kinds[p.pos]
    if kind == "," or kind == ";" then
      p.pos = p.pos + 1
    elseif kind ~= "}" then
      close(p, "}", opener)
    end
  end
  p.pos = p.pos + 1
  p.nested = nested
end

local function parameters(p)
  local kinds, scope, opener = p.kinds, p.scope, p.pos
  local names
  p.pos = opener + 1
  while kinds[p.pos] ~= ")" do
    local at = p.pos
    if kinds[at] == "..." then
      scope.fn.vararg = true
      p.pos = at + 1
      annotation(p)
      break
    end
    expect(p, "name")
    local name = p.texts[at]
    names = names or {}
    names[name] = true
    declare(scope, name, p.starts[at])
    annotation(p)
    if kinds[p.pos] ~= "," then
      break
    end
    p.pos = p.pos + 1
    if kinds[p.pos] == ")" then
      unexpected(p, "a parameter")
    end
  end
  close(p, ")", opener)
  return names
end

--- A function from its parameter list (or the `<` before it) to its `end`.
---@param keyword integer the token `function`
---@param name string|nil for messages
function expressions.body(p, keyword, name, is_method)
  local nested, branches = p.nested, p.branches
  p.nested = false
  scopes.open_function(p.scope, name, p.starts[keyword], false)
  if is_method then
    declare(p.scope, "self", p.starts[keyword])
  end
  annotations.generics(p)
  if p.kinds[p.pos] ~= "(" then
    unexpected(p, "'(' and the parameters of the function")
  end
  local names = parameters(p)
  safepoint(p, p.stops[p.pos - 1] + 1)
  annotations.return_annotation(p, names)
  p.block(p)
  close(p, "end", keyword)
  scopes.close_function(p.scope)
  p.nested, p.branches = nested, branches
end

-- Whether the `(` here calls what stands before it. LuaJIT refuses to guess where it begins a line.
local function check_call(p)
  if not same_line(p, p.pos - 1) then
    fail(
      p.starts[p.pos],
      "ambiguous syntax: this '(' may call the line before it or begin a statement (join the lines, or put ';' between)"
    )
  end
end

-- The arguments of a call. Returns false where none begin.
local function arguments(p)
  local opener = p.pos
  local kind = p.kinds[opener]
  if kind == "(" then
    check_call(p)
    p.pos = opener + 1
    local nested = p.nested
    p.nested = true
    if p.kinds[p.pos] ~= ")" then
      expression_list(p)
    end
    close(p, ")", opener)
    p.nested = nested
  elseif kind == "string" then
    p.pos = opener + 1
  elseif kind == "{" then
    table_constructor(p)
  else
    return false
  end
  return true
end

-- Whether the arguments here are those of `require` with a literal, the one call that only names a value.
local function is_require(p, at)
  local kinds, first = p.kinds, at + 1
  if p.texts[at] ~= "require" or p.scope.binding.require then
    return false
  end
  return kinds[first] == "string" or kinds[first] == "(" and kinds[first + 1] == "string" and kinds[first + 2] == ")"
end

--- A name or a parenthesis with what hangs on it: fields, indices, calls, `!`.
---@return string shape of the whole: "name", "field", "call", "parenthesis" or "assertion"
function expressions.suffixed(p)
  local kinds, at = p.kinds, p.pos
  local kind = kinds[at]
  local shape
  if kind == "name" then
    use(p.scope, p.texts[at], p.starts[at])
    p.pos = at + 1
    shape = "name"
  elseif kind == "(" then
    local nested = p.nested
    p.nested = true
    p.pos = at + 1
    expression(p)
    close(p, ")", at)
    p.nested = nested
    shape = "parenthesis"
  else
    unexpected(p, "an expression")
  end
  while true do
    kind = kinds[p.pos]
    if kind == "." then
      if shape == "call" or shape == "parenthesis" then
        p.scope.fn.acts = true
      end
      p.pos = p.pos + 1
      expect(p, "name")
      shape = "field"
    elseif kind == "(" or kind == "string" or kind == "{" then
      if shape ~= "name" or not is_require(p, at) then
        p.scope.fn.acts = true
      end
      arguments(p)
      shape = "call"
    elseif kind == "[" then
      local opener = p.pos
      local nested = p.nested
      p.scope.fn.acts = true
      p.nested = true
      p.pos = opener + 1
      expression(p)
      close(p, "]", opener)
      p.nested = nested
      shape = "field"
    elseif kind == ":" then
      p.scope.fn.acts = true
      p.pos = p.pos + 1
      expect(p, "name")
      if not arguments(p) then
        unexpected(p, "the arguments of a method call")
      end
      shape = "call"
    elseif kind == "!" then
      if p.bang ~= p.pos then
        insert(p.edits, p.stops[p.pos - 1] + 1, "")
        p.bang_edit = p.edits.count
      end
      assertion(p)
      p.bang = p.pos
      shape = shape == "call" and "call" or "assertion"
    else
      return shape
    end
  end
end

local suffixed = expressions.suffixed

local function operand(p)
  local kinds = p.kinds
  local kind = kinds[p.pos]
  while UNARY[kind] do
    if kind == "#" then
      p.scope.fn.acts = true
    end
    p.pos = p.pos + 1
    kind = kinds[p.pos]
  end
  if kind == "name" or kind == "(" then
    suffixed(p)
  elseif LITERAL[kind] then
    p.pos = p.pos + 1
  elseif kind == "{" then
    table_constructor(p)
  elseif kind == "function" then
    p.pos = p.pos + 1
    expressions.body(p, p.pos - 1)
  elseif kind == "..." then
    if not p.scope.fn.vararg then
      fail(p.starts[p.pos], "'...' outside of a vararg function: the function around it takes no '...'")
    end
    p.scope.fn.acts = true
    p.pos = p.pos + 1
  else
    unexpected(p, "an expression")
  end
  kind = kinds[p.pos]
  -- where what is kept of it ends, should something be put there
  local kept = p.bang == p.pos and p.bang_edit
  if kept or kind == "name" or kind == "::" or kind == "!" then
    if not kept then
      insert(p.edits, p.stops[p.pos - 1] + 1, "")
      kept = p.edits.count
    end
    casts(p)
  end
  p.kept = kept
end

-- LuaJIT walks all pending jumps at each new one, so what it would refuse after minutes is refused here.
local function count_branch(p)
  p.branches = p.branches + 1
  if p.branches > MAX_BRANCHES then
    fail(p.starts[p.pos], "more than " .. MAX_BRANCHES .. " 'and' and 'or' in one statement: split it up")
  end
end

--- Steps over the binary operator here. Returns false where there is none.
local function binary(p)
  local at = p.pos
  local kinds = p.kinds
  local kind = kinds[at]
  if not BINARY[kind] then
    if kind == "&" or kind == "|" then
      unexpected(p, "an operator")
    end
    return false
  end
  at = at + 1
  p.pos = at
  if kind == ">" or kind == "<" then
    if kinds[at] == kind and p.starts[at] == p.starts[at - 1] + 1 then
      fail(p.starts[at - 1], "the operator '" .. kind .. kind .. "' is not available: there are no bitwise operators")
    elseif kind == ">" and kinds[at] == "=" and p.starts[at] == p.starts[at - 1] + 1 then
      p.pos = at + 1
    end
  elseif kind == "and" or kind == "or" then
    p.scope.fn.acts = true
    count_branch(p)
  end
  return true
end

--- An expression. Each run of operands that `..` joins is given to the runtime when it has been joined (`__r.s`), which
--- charges for long texts and refuses those that are too long: no safepoint comes between two doublings of a text.
function expression(p)
  enter(p)
  local list, kinds = p.edits, p.kinds
  local more = true
  while more do
    insert(list, p.starts[p.pos], "")
    local here, joined = list.count, false
    while true do
      operand(p)
      local operator = kinds[p.pos]
      if operator == ".." then
        joined = true
      elseif not TIGHTER[operator] then
        break
      end
      binary(p)
    end
    if joined then
      list.text[here] = "__r.s("
      if p.kept then
        list.text[p.kept] = ")"
      else
        insert(list, p.stops[p.pos - 1] + 1, ")")
      end
    elseif list.count == here then
      list.count = here - 1
    end
    more = binary(p)
  end
  p.depth = p.depth - 1
end
expressions.expression = expression

return expressions
