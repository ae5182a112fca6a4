-- Calls of functions (spec lua-api.md §7, registry.md §10.1): from the target to what runs, with retries and a time
-- limit. A call stays in its VM but for Python functions and for processes of other hosts.
-- A call is a record. Its maker sets: id, args (copied; n), caller (process or false), context, actor, scope, options,
-- done(call, value, err), which is called once unless the call is canceled. The rest is set here: attempt, policy,
-- timer, delay, and of what runs: proc, own (a function's process), ref, pid, place in a pool.

local S = require("state")
local errors = require("errors")
local values = require("values")
local timers = require("timers")
local pids = require("pids")
local msgpack = require("msgpack")
local outbox = require("outbox")
local security = require("security")
local loader = require("loader")
local lifecycle = require("lifecycle")
local remote = require("remote")
local spawning = require("spawning")
local retry = require("retry")
local pools = require("pools")

local tostring = tostring
local find = string.find
local copy, plain = values.copy, errors.plain
local refs = S.refs

local M = {}

local CALLER_GONE = "caller context canceled"

local attempt

--- What is wrong with the text of a target, or nil (spec lua-api.md §7).
function M.problem_of(id)
  if id == "" then return "function ID required" end
  local at = find(id, ":", 1, true)
  if not at or at == 1 then return "namespace required in function ID" end
  if at == #id then return "name required in function ID" end
end

-- the calls of a process, in no order; each knows its place
local function note(call)
  local caller = call.caller
  if not caller then return end
  local calls = caller.calls
  if not calls then
    calls = {n = 0}
    caller.calls = calls
  end
  local n = calls.n + 1
  calls[n], calls.n, call.at = call, n, n
end

local function forget(call)
  local caller = call.caller
  local calls = caller and caller.calls
  if not calls then return end
  local n, at = calls.n, call.at
  local last = calls[n]
  calls[at], last.at = last, at
  calls[n], calls.n = nil, n - 1
end

local function conclude(call, value, err)
  call.over = true
  local timer = call.timer
  if timer then timers.cancel(timer) end
  forget(call)
  local on_admit = call.on_admit
  if on_admit then
    call.on_admit = nil
    on_admit(call)
  end
  return call.done(call, value, err)
end

-- one attempt has its outcome
local function settle(call, value, err)
  if call.over then return end
  call.proc = false
  local policy = err and call.policy
  if policy then
    local delay = retry.delay(policy, call.attempt, err)
    if delay then
      outbox.log("info", "funcs", "attempt " .. call.attempt .. " of " .. policy.max_attempts .. " to call " .. call.id ..
        " failed: " .. tostring(err), {function_id = call.id, next_in = delay})
      call.attempt = call.attempt + 1
      call.delay = timers.after(delay, attempt, false, call)
      return
    end
  end
  return conclude(call, value, err)
end

-- the arguments of one attempt: what a callee changes in them must not reach the next one
local function arguments(call)
  local args = call.args
  if not call.policy then return args end
  local own = {n = args.n, fn = false}
  for i = 1, args.n do own[i] = (copy(args[i])) end
  return own
end

-- the end of a process that ran for a call
local function on_end(value, err, p)
  local call = p.is_call
  if call.place then pools.release(call) end
  return settle(call, value, err)
end

-- create() reads it and keeps nothing of it
local spec = {is_call = false, waiter = on_end}

local function run_function(call)
  local def, err = loader.load(call.id)
  local p
  if def then
    spec.pid_host, spec.is_call, spec.context, spec.actor, spec.scope = call.id, call, call.context, call.actor, call.scope
    p, err = lifecycle.create(def, S.host, arguments(call), nil, nil, spec)
    spec.is_call = false
  end
  if p then
    call.proc, call.own = p, true
    return
  end
  if call.place then pools.release(call) end
  return settle(call, nil, err)
end
pools.start = run_function

-- a number for a request that Python or another VM answers
local function expect(call)
  local ref = S.next_ref + 1
  S.next_ref = ref
  call.ref = ref
  local function done(value, err) return settle(call, value, err) end
  refs[ref] = {vm = false, p = call, done = done, fail = function(err) return settle(call, nil, err) end}
  return ref
end

local function ask_python(call)
  local ref = expect(call)
  local args, start = call.args, msgpack.mark()
  outbox.to_python(5, outbox.ASK, "function", ref, call.caller and call.caller.pid or "", {})
  msgpack.reset(msgpack.mark() - 1)     -- id and arguments take the place of the empty list: there may be holes
  msgpack.array(args.n + 1)
  msgpack.put(call.id)
  for i = 1, args.n do
    local problem = msgpack.put(args[i])
    if problem then
      msgpack.reset(start)
      refs[ref] = nil
      return settle(call, nil, plain("Invalid", "cannot call " .. call.id .. ": " .. problem .. " in argument " .. i, false))
    end
  end
  call.python = true
end

local function cancel_remote(call)
  local where = pids.parse(call.pid)
  if where and where.vm then remote.send_cancel(where, call.caller and call.caller.pid or nil, CALLER_GONE) end
end

-- a process whose entry names a default host stands for a function: its end is the result
local function run_process(call, def)
  local host = def.default_host
  local caller = call.caller
  local from = caller and caller.pid or nil
  if host == S.host and def.kind == "process.lua" and not S.stopping and remote.has_room() and spawning.keep() then
    local p, err = lifecycle.create(def, host, arguments(call), nil, nil, {
      waiter = function(value, problem) return settle(call, value, problem) end,
      context = call.context, actor = call.actor, scope = call.scope, from = from,
    })
    if not p then return settle(call, nil, err) end
    call.proc, call.own = p, false
    return
  end
  local ref = expect(call)
  local waiting = refs[ref]
  waiting.exec = true
  waiting.on_pid = function(pid)
    call.pid = pid
    if call.over then cancel_remote(call) end
  end
  local args = arguments(call)
  local own = {n = args.n, fn = false}
  for i = 1, args.n do own[i] = outbox.travel(args[i]) end
  remote.place(host, S.vm, ref, {
    id = call.id, host = host, args = own, exec = true, from = from, context = outbox.travel(call.context),
    security = security.pack(call.actor, call.scope),
  }, {})
end

function attempt(call)
  call.delay = nil
  local id = call.id
  local def = S.entries[id]
  if not def then
    local err
    def, err = loader.load(id)
    if not def then
      if err:kind() == "NotFound" and err:message() == "no such entry: " .. id then
        err = plain("NotFound", "no handler registered for target: " .. id, false)
      end
      return settle(call, nil, err)
    end
  end
  if not call.attempt then
    call.attempt = 1
    local options = call.options
    if options or def.options then
      local policy, seconds, problem = retry.read(def.options, options)
      if problem then return settle(call, nil, plain("Invalid", "options of the call of " .. id .. ": " .. problem, false)) end
      call.policy = policy
      if seconds then call.timer = timers.after(seconds, M.expire, false, call, seconds) end
    end
  end
  local kind = def.kind
  if kind == "function.lua" then
    local pool = def.pool
    if pool and not pools.enter(call, pool) then return end
    return run_function(call)
  end
  if kind == "function.python" then return ask_python(call) end
  if def.default_host and (kind == "process.lua" or kind == "workflow.lua") then return run_process(call, def) end
  return settle(call, nil, plain("NotFound", "no handler registered for target: " .. id .. " is a " .. kind, false))
end

-- End what runs for a call. A process that stands for a function is asked to end, a function's own process ends.
local function stop(call, err)
  if call.timer then timers.cancel(call.timer) end
  if call.delay then timers.cancel(call.delay) end
  local p = call.proc
  if p then
    call.proc = false
    if call.own then
      lifecycle.doom(p, err)
    else
      remote.cancel(p, call.caller and call.caller.pid or nil, CALLER_GONE)
    end
  elseif call.place then
    pools.leave(call)
  elseif call.python then
    if refs[call.ref] then
      refs[call.ref] = nil
      outbox.to_python(5, outbox.ASK, "function.abandon", nil, "", {call.ref})
    end
  elseif call.pid then
    cancel_remote(call)
  end
end

--- Begin a call; its outcome may be there before this returns.
function M.begin(call)
  note(call)
  return attempt(call)
end

--- End a call whose outcome nobody wants any more; `done` is not called. Without effect on one that is over.
function M.cancel(call, message)
  if call.over then return end
  call.over = true
  forget(call)
  stop(call, plain("Canceled", message))
  lifecycle.drain()
end

--- The time limit of a call (OP-15): it holds for all attempts together.
function M.expire(call, seconds)
  if call.over then return end
  stop(call, plain("Canceled", "call canceled: it took longer than its timeout"))
  conclude(call, nil, plain("Timeout", call.id .. " did not return within " .. seconds .. " s"))
  lifecycle.drain()
end

-- a process ended: what it called is canceled; whoever ends it drains
function lifecycle.end_calls(p)
  local calls = p.calls
  p.calls = nil
  for i = 1, calls.n do
    local call = calls[i]
    if not call.over then
      call.over = true
      stop(call, plain("Canceled", "call canceled: its caller ended"))
    end
  end
end

return M
