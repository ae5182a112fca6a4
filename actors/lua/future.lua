-- Futures (spec lua-api.md §7.1): what `funcs.async` gives. The object is empty; its state is its process's.

local S = require("state")
local object = require("object")
local errors = require("errors")
local channel = require("channel")
local message = require("message")
local functions = require("functions")

local setmetatable, error = setmetatable, error

local weak_keys = {__mode = "k"}
local methods = {}
local mt = object.class("future", methods)

-- state: {channel, queue, call, done, canceled, payload, err}
local function state_of(self, where)
  local futures = S.current.futures
  local state = futures and futures[self]
  if state then return state end
  if not object.is(self, mt) then
    error("bad argument #1 to '" .. where .. "' (future expected, got " .. object.type(self) .. ")", 3)
  end
  error("the future belongs to another process", 3)
end

local function canceled() return errors.make("Canceled", "the future was canceled") end

--- The channel that yields the outcome once and is closed then.
function methods.response(self) return state_of(self, "response").channel end
methods.channel = methods.response

--- The outcome so far: a Payload, or nil and the error; nil, nil while it is pending.
function methods.result(self)
  local state = state_of(self, "result")
  if state.canceled then return nil, canceled() end
  if not state.done or not state.err then return state.payload, nil end
  return nil, state.err
end

--- The error and true, or nil and false.
function methods.error(self)
  local state = state_of(self, "error")
  if state.canceled then return canceled(), true end
  if state.err then return state.err, true end
  return nil, false
end

function methods.is_complete(self) return state_of(self, "is_complete").done end
function methods.is_canceled(self) return state_of(self, "is_canceled").canceled end

--- Want the outcome no more: the channel closes, and the call is canceled (OP-16). Without effect once it is complete.
function methods.cancel(self)
  local state = state_of(self, "cancel")
  if not state.done and not state.canceled then
    state.canceled = true
    local p = S.current
    p.ops = p.ops - 1
    functions.cancel(state.call, "call canceled: its future was canceled")
    channel.close_queue(state.queue)
  end
  return true, nil
end

local M = {}

local function on_done(call, value, err)
  local p, state = call.caller, call.state
  p.ops = p.ops - 1
  state.done, state.err = true, err
  local item = err
  if not err then
    item = message.payload(value)
    state.payload = item
  end
  channel.feed(state.queue, item)
  channel.close_queue(state.queue)
end

--- Make the future of a call that is about to begin, for the running process.
function M.make(call)
  local p = S.current
  local queue = channel.new_queue(1)
  local state = {channel = channel.bind(p, queue), queue = queue, call = call, done = false, canceled = false}
  call.state, call.done = state, on_done
  p.ops = p.ops + 1
  local futures = p.futures
  if not futures then
    futures = setmetatable({}, weak_keys)
    p.futures = futures
  end
  local self = setmetatable({}, mt)
  futures[self] = state
  return self
end

return M
