-- Who is who in a source: functions, blocks, locals and upvalues, labels and gotos, names of types.
--
-- Locals live on one stack for the whole source; `binding` gives the stack index of the innermost local of a name, so
-- that a lookup costs one table access however deep the nesting is. The limits are LuaJIT's.

local faults = require("frontend.faults")

local fail, locate = faults.fail, faults.locate
local ipairs, pairs = ipairs, pairs

local MAX_LOCALS, MAX_UPVALUES = 200, 60
local MAX_JUMPS = 16384 -- gotos and labels of a function: LuaJIT looks at all of them for each

-- what a script finds in its environment whatever it declares (spec lua-api.md §1.2)
local PROVIDED = {}
for name in
  ([[process channel payload errors coroutine table string math os print subscribe unsubscribe require package assert
     error pcall xpcall type tonumber tostring pairs ipairs next select unpack rawget rawset rawequal getmetatable
     setmetatable _G _VERSION]]):gmatch("[%w_]+")
do
  PROVIDED[name] = true
end

-- what gives a script its environment, or would; nobody knows what it does there
local OPENING = {
  _G = true, _ENV = true, getfenv = true, setfenv = true, load = true, loadstring = true, loadfile = true,
  dofile = true, module = true, debug = true,
}

local scopes = {}

function scopes.new(source)
  return {
    source = source,
    top = 0,
    names = {}, -- by stack index
    owners = {}, -- by stack index: the function that declared it
    shadowed = {}, -- by stack index: what the name meant before
    binding = {},
    types = {}, -- how many visible declarations `type Name` there are, by name
    suspects = {}, -- where a type name was used as a value, by name
    assigned = {}, -- names of globals that the source assigns
    keeps = false, -- whether code may write to what outlives a call: globals and locals of the top level
    erasing = 0, -- above 0 within bytes that will be erased: nothing there captures anything
    fn = nil,
    block = nil,
  }
end

local function describe(scope, fn)
  if not fn.parent then
    return "the main chunk"
  end
  local line = locate(scope.source, fn.offset)
  return (fn.name and "function '" .. fn.name .. "'" or "the function") .. " at line " .. line
end

---@param name string|nil
---@param offset integer where it begins
function scopes.open_function(scope, name, offset, vararg)
  local fn = { parent = scope.fn, name = name, offset = offset, vararg = vararg, loops = 0, base = scope.top }
  fn.returns = false -- whether it returns anything
  fn.acts = false -- whether it does more than to name values, functions within it not counted (see `stateless`)
  fn.outer_block = scope.block
  fn.captured = {}
  fn.jumps = 0
  fn.upvalues = 1 -- the runtime's own, which every function has
  scope.fn, scope.block = fn, nil
  scopes.open_block(scope)
end

function scopes.close_function(scope)
  scopes.close_block(scope)
  local fn = scope.fn
  scope.fn, scope.block = fn.parent, fn.outer_block
end

function scopes.open_block(scope, is_loop)
  scope.block = { parent = scope.block, base = scope.top, is_loop = is_loop }
  if is_loop then
    scope.fn.loops = scope.fn.loops + 1
  end
end

-- Gotos that found no label here look in the block around; there they stand where this block stands.
local function hand_over_gotos(block)
  local parent, labels = block.parent, block.labels
  local lost
  for name, jumps in pairs(block.pending) do
    if not (labels and labels[name]) then
      if parent then
        local pending = parent.pending or {}
        local list = pending[name] or {}
        parent.pending, pending[name] = pending, list
        for i = 1, #jumps do
          jumps[i].top = block.base
          list[#list + 1] = jumps[i]
        end
      elseif not lost or jumps[1].offset < lost.offset then
        lost = jumps[1]
      end
    end
  end
  if lost then
    fail(lost.offset, "undefined label '" .. lost.name .. "' for goto")
  end
end

function scopes.close_block(scope)
  local block = scope.block
  local names, shadowed, binding = scope.names, scope.shadowed, scope.binding
  for i = scope.top, block.base + 1, -1 do
    binding[names[i]] = shadowed[i]
  end
  scope.top = block.base
  if block.pending then
    hand_over_gotos(block)
  end
  if block.types then
    for _, name in ipairs(block.types) do
      scope.types[name] = scope.types[name] - 1
    end
  end
  if block.is_loop then
    scope.fn.loops = scope.fn.loops - 1
  end
  scope.block = block.parent
end

--- Makes a local visible from here on.
function scopes.declare(scope, name, offset)
  local top = scope.top + 1
  if top - scope.fn.base > MAX_LOCALS then
    local whose = describe(scope, scope.fn)
    fail(offset, whose .. " has more than " .. MAX_LOCALS .. " local variables: '" .. name .. "' is one too many")
  end
  scope.top = top
  scope.names[top], scope.owners[top] = name, scope.fn
  scope.shadowed[top] = scope.binding[name]
  scope.binding[name] = top
end

--- The three locals that a `for` keeps for itself.
function scopes.declare_hidden(scope, offset)
  for _ = 1, 3 do
    scopes.declare(scope, "(for state)", offset)
  end
end

local function capture(scope, index, name, offset)
  local owner, fn = scope.owners[index], scope.fn
  while fn ~= owner and not fn.captured[index] do
    fn.captured[index] = true
    fn.upvalues = fn.upvalues + 1
    if fn.upvalues > MAX_UPVALUES then
      fail(
        offset,
        describe(scope, fn) .. " uses more than " .. MAX_UPVALUES - 1 .. " locals of the functions around it: '" .. name
          .. "' is one too many (keep them in a table)"
      )
    end
    fn = fn.parent
  end
end

--- Notes the use of a name as a value.
function scopes.use(scope, name, offset)
  if scope.erasing > 0 then
    return
  end
  local index = scope.binding[name]
  if index then
    if scope.owners[index] ~= scope.fn then
      capture(scope, index, name, offset)
    end
  elseif OPENING[name] then
    scope.keeps = true
  elseif (scope.types[name] or 0) > 0 and not scope.suspects[name] then
    scope.suspects[name] = offset
  end
end

--- Notes that a name is assigned; only then a global of a type's name is a value.
function scopes.assign(scope, name)
  local index = scope.binding[name]
  if not index then
    scope.assigned[name] = true
    scope.keeps = true
  elseif not scope.owners[index].parent then
    scope.keeps = true
  end
end

--- Makes the name of a type known until the end of the block.
function scopes.declare_type(scope, name)
  local block = scope.block
  block.types = block.types or {}
  block.types[#block.types + 1] = name
  scope.types[name] = (scope.types[name] or 0) + 1
end

--- At the end of the source: no name that only a type has may have been used as a value.
function scopes.check_types(scope)
  local first, culprit
  for name, offset in pairs(scope.suspects) do
    if not scope.assigned[name] and not PROVIDED[name] and (not first or offset < first) then
      first, culprit = offset, name
    end
  end
  if first then
    fail(first, "'" .. culprit .. "' is a type: types as values at run time are not available yet")
  end
end

--- Whether a script keeps nothing at its top level, so that processes can share what it returns. For sure: of what
--- is hard to tell it is said that it keeps something.
---
--- Its top level names values that cannot change (literals, functions, what the runtime provides) and returns; no code
--- of it assigns a global or one of those names, or could get at the environment. Tables are what can change, and none
--- is made but the one it returns, which no code of it can reach.
---@param main table the function of the whole source
function scopes.stateless(scope, main)
  return main.returns and not main.acts and not scope.keeps
end

local function count_jump(scope, offset)
  local fn = scope.fn
  fn.jumps = fn.jumps + 1
  if fn.jumps > MAX_JUMPS then
    fail(offset, describe(scope, fn) .. " has more than " .. MAX_JUMPS .. " gotos and labels")
  end
end

--- Notes a goto, which waits for its label.
function scopes.jump(scope, name, offset)
  count_jump(scope, offset)
  local block = scope.block
  local pending = block.pending or {}
  local list = pending[name] or {}
  block.pending, pending[name] = pending, list
  list[#list + 1] = { name = name, offset = offset, top = scope.top }
end

--- Notes a label. `settle_label` follows as soon as it is known whether it ends its block.
function scopes.label(scope, name, offset)
  count_jump(scope, offset)
  local block = scope.block
  block.labels = block.labels or {}
  local before = block.labels[name]
  if before then
    fail(offset, "duplicate label '" .. name .. "' (already defined at line " .. locate(scope.source, before) .. ")")
  end
  block.labels[name] = offset
end

--- Lets earlier gotos of the block find the label.
---@param trailing boolean nothing follows it in its block: it then stands outside of the scope of the block's locals
function scopes.settle_label(scope, name, trailing)
  local block = scope.block
  local jumps = block.pending and block.pending[name]
  if not jumps then
    return
  end
  local top = trailing and block.base or scope.top
  for i = 1, #jumps do
    local jump = jumps[i]
    if jump.top < top then
      fail(jump.offset, "goto '" .. name .. "' jumps into the scope of local '" .. scope.names[jump.top + 1] .. "'")
    end
  end
  block.pending[name] = nil
end

return scopes
