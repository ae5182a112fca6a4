-- PIDs (spec processes.md §2): {host|0x<mark of the run><VM><generation and slot>}, and which of them live.
-- Every VM publishes the generation of each of its slots in memory that all kernels and Python read.

local ffi = require("ffi")
local S = require("state")

local format, match, sub, find = string.format, string.match, string.sub, string.find
local tonumber, floor = tonumber, math.floor
local cast = ffi.cast

local M = {}

local SLOTS = 4194304            -- 2^22 living processes a VM
M.SLOTS = SLOTS
local HEADER = 4096               -- bytes, see actors/vm/memory.py
local gens_t = ffi.typeof("volatile uint32_t *")

-- slots of this VM: the generation each had last, and the free ones, oldest first
local generation = {}
local free, free_h, free_t = {}, 1, 0
local used = 0
local own_gens, own_entries

--- Publish the memory of a VM of `host`: `address` of its generations (then entry numbers, SLOTS each; counters before).
function M.attach(vm, address, host)
  local gens = cast(gens_t, address)
  S.vms[vm] = {gens = gens, lost = false, host = host, header = cast(gens_t, address - HEADER)}
  if vm == S.vm then
    own_gens = gens
    own_entries = cast(gens_t, address + SLOTS * 4)
  end
end

local prefixes = {}
local function prefix_of(host)
  local prefix = prefixes[host]
  if not prefix then
    local node = S.node ~= "" and S.node .. "@" or ""
    prefix = "{" .. node .. host .. "|0x" .. S.mark .. format("%04x", S.vm)
    prefixes[host] = prefix
  end
  return prefix
end

--- Take a slot for a new process; returns its PID text and the slot. Not alive before `publish`.
function M.allocate(host)
  local slot
  if free_h <= free_t then
    slot = free[free_h]
    free[free_h] = nil
    free_h = free_h + 1
    if free_h > free_t then free_h, free_t = 1, 0 end
  else
    slot = used
    used = used + 1
    generation[slot] = 0
  end
  return format("%s%05x}", prefixes[host] or prefix_of(host), generation[slot] * SLOTS + slot), slot
end

function M.publish(slot, entry_number)
  own_entries[slot] = entry_number
  own_gens[slot] = generation[slot] + 1
end

--- Give a slot back: its PID is dead for everybody from now on, and never used again.
function M.release(slot)
  own_gens[slot] = 0
  generation[slot] = generation[slot] + 1
  free_t = free_t + 1
  free[free_t] = slot
end

--- The highest slot ever used, for whoever scans the memory.
function M.used() return used end

local cache, cached = {}, 0

--- Take a text apart. Returns nil when it is not a PID, else a record {host, vm, slot, gen, text}; vm is false for
--- a PID that is not of this run, or not of this node.
function M.parse(text)
  local known = cache[text]
  if known ~= nil then return known or nil end
  local inner = match(text, "^{([^{}]*)}$")
  local record = false
  if inner then
    local head, unique = match(inner, "^(.-)|([^|]*)$")
    if head then
      local middle = match(head, "^(.-)|")
      local node, host = match(middle or head, "^([^@]*)@(.*)$")
      if not node then host = middle or head end
      record = {host = host, vm = false, slot = 0, gen = 0, text = text}
      local mark = S.mark
      if sub(unique, 1, 2 + #mark) == "0x" .. mark and (not node or node == S.node) then
        local rest = sub(unique, 3 + #mark)
        if #rest >= 9 and not find(rest, "[^0-9a-f]") then
          local u = tonumber(sub(rest, 5), 16)
          record.vm = tonumber(sub(rest, 1, 4), 16)
          record.slot = u % SLOTS
          record.gen = floor(u / SLOTS)
          if (S.node ~= "") ~= (node ~= nil) then
            record.text = "{" .. (S.node ~= "" and S.node .. "@" or "") .. host .. "|" .. unique .. "}"
          end
        end
      end
    end
  end
  if cached > 20000 then cache, cached = {}, 0 end
  cache[text] = record
  cached = cached + 1
  return record or nil
end

--- Tell whether the process of a parsed PID lives at this moment, on whichever VM.
function M.alive(record)
  local vm = S.vms[record.vm]
  return vm and not vm.lost and vm.gens[record.slot] == record.gen + 1 or false
end

--- Forget a VM that is gone: none of its processes lives.
function M.lose(vm)
  local known = S.vms[vm]
  if known then known.lost = true end
end

return M
