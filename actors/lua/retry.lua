-- Options of a call (spec lua-api.md §7): when it is tried again, and how long it may take. Decisions only.

local object = require("object")
local errors = require("errors")
local duration = require("modules.time_duration")
local S = require("state")

local type, pairs, tostring = type, pairs, tostring

local M = {}

local LONGEST = 100 * 366 * 86400 * 1000   -- milliseconds

-- errors that trying again does not mend, unless `retry_kinds` says otherwise
local HOPELESS = {Invalid = true, PermissionDenied = true, Internal = true}

local function number_of(t, key, default, least, most)
  local v = t[key]
  if v == nil then return default end
  if type(v) ~= "number" or v ~= v then return nil, "retry." .. key .. " must be a number, got " .. object.type(v) end
  if v < least then return nil, "retry." .. key .. " must not be less than " .. least .. ", got " .. v end
  if v > most then return nil, "retry." .. key .. " must not be more than " .. most .. ", got " .. v end
  return v
end

--- Seconds from a count of milliseconds or a duration text; nil and a problem.
local function seconds_of(v, what)
  if type(v) == "number" then
    if v ~= v or v < 0 then return nil, what .. " must not be negative, got " .. tostring(v) end
    if v > LONGEST then return nil, what .. " must not be more than a hundred years, got " .. tostring(v) .. " ms" end
    return v / 1000
  end
  if type(v) == "string" then
    local sec, nsec = duration.read(v)
    if not sec then return nil, what .. ": " .. nsec end
    local seconds = sec + nsec / 1e9
    if seconds < 0 then return nil, what .. " must not be negative, got " .. v end
    return seconds
  end
  return nil, what .. " must be milliseconds or a duration text, got " .. object.type(v)
end

local function span(t, key, default)
  local v = t[key]
  if v == nil then return default end
  return seconds_of(v, "retry." .. key)
end

local function kinds_of(t, key)
  local list = t[key]
  if list == nil then return nil end
  if type(list) ~= "table" or object.class_of(list) then
    return nil, "retry." .. key .. " must be a list of error kinds, got " .. object.type(list)
  end
  local set = {}
  for _, kind in pairs(list) do
    if type(kind) ~= "string" then return nil, "retry." .. key .. " must be a list of error kinds, got a " .. object.type(kind) .. " in it" end
    set[errors.KINDS[kind] or kind] = true
  end
  return set
end

local function policy_of(t)
  if type(t) ~= "table" or object.class_of(t) then return nil, "retry must be a table, got " .. object.type(t) end
  local made, problem = {}, nil
  made.max_attempts, problem = number_of(t, "max_attempts", 0, 0, 1e9)
  if problem then return nil, problem end
  made.factor, problem = number_of(t, "backoff_factor", 2, 0, 1e9)
  if problem then return nil, problem end
  made.jitter, problem = number_of(t, "jitter", 0.1, 0, 1)
  if problem then return nil, problem end
  made.initial, problem = span(t, "initial_delay", 0.1)
  if problem then return nil, problem end
  made.max, problem = span(t, "max_delay", 10)
  if problem then return nil, problem end
  made.only, problem = kinds_of(t, "retry_kinds")
  if problem then return nil, problem end
  made.skip, problem = kinds_of(t, "skip_kinds")
  if problem then return nil, problem end
  if made.max_attempts <= 1 then return nil end
  return made
end

--- What the options of an entry and those of a call (laid over them, key by key) say. Returns the policy (nil: no
--- retry), the time limit in seconds (nil: none), and a problem.
function M.read(base, over)
  local function option(key)
    local v
    if over then v = over[key] end
    if v == nil and base then v = base[key] end
    return v
  end
  local policy, seconds, problem
  local t = option("retry")
  if t ~= nil then
    policy, problem = policy_of(t)
    if problem then return nil, nil, problem end
  end
  local limit = option("timeout")
  if limit ~= nil then
    seconds, problem = seconds_of(limit, "timeout")
    if problem then return nil, nil, problem end
    if seconds == 0 then seconds = nil end
  end
  return policy, seconds
end

--- The seconds to wait after attempt number `attempt` failed with `err`, or nil when it is final. Jitter comes after
--- the cap and goes both ways.
function M.delay(policy, attempt, err)
  if attempt >= policy.max_attempts or err:retryable() == false then return nil end
  local kind = err:kind()
  if kind == "Canceled" or (policy.skip and policy.skip[kind]) then return nil end
  if policy.only then
    if not policy.only[kind] then return nil end
  elseif HOPELESS[kind] then
    return nil
  end
  local delay = policy.initial * policy.factor ^ (attempt - 1)
  if not (delay < policy.max) then delay = policy.max end
  return delay * (1 + policy.jitter * (2 * M.random() - 1))
end

--- Uniform in [0, 1), from the seeds of the VM.
function M.random()
  local high = S.seed()
  return high / 4294967296
end

return M
