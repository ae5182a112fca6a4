-- The state of one VM that its kernel's parts share. Only the kernel reaches it.

local setmetatable = setmetatable

local S = {
  current = false,      -- the process that runs
  thread = false,       -- its thread (top-level coroutine) that runs
  toplevel = false,     -- a script's top level runs: nothing may block
  careful = 0,          -- above 0 where a C function may stand between the running code and the scheduler
  now = 0,              -- monotonic seconds of this step
  wall = 0,             -- Unix seconds of this step
  vm = 0,               -- index of this VM in the runtime
  host = false,         -- id of the host this VM belongs to
  mark = "",            -- mark of the run, in every PID
  node = "",            -- node name, "" when none is set
  stopping = false,     -- the host stops: no new processes
  strict = false,       -- code without an actor or a scope may do nothing that is checked
  terminal = false,     -- the terminal, on the VM of a terminal host
  procs = {},           -- PID text -> process
  names = {},           -- replica of the name registry: name -> PID text
  hosts = {},           -- host id -> {state =, vms = {indices}}
  vms = {},             -- VM index -> {gens = ffi pointer, lost = bool}
  entries = {},         -- entry id -> loaded definition
  refs = {},            -- number of a request that waits for another VM or Python -> what waits
  next_ref = 0,
  count = 0,            -- living processes
  limit = false,        -- how many processes this VM may have now
  share = false,        -- its share of max_processes, which may be lower while it has more
  surplus = false,      -- its host has too many VMs: it takes no new processes
  mailbox_limit = false,
  mailbox_overflow = "fail",
  slice = 4000,         -- reductions of a slice
  hard_limit = 20000000, -- reductions where a process cannot be preempted
}

-- the reductions left to the running process, and what the safepoints call; user code holds it as the upvalue __r
S.r = {n = 0}

-- what a coroutine yields to the kernel, and what its wrapped primitives pass up
S.WAIT = setmetatable({}, {__tostring = function() return "WAIT" end})
S.PREEMPTED = setmetatable({}, {__tostring = function() return "PREEMPTED" end})
S.SWITCH = setmetatable({}, {__tostring = function() return "SWITCH" end})
S.DONE = setmetatable({}, {__tostring = function() return "DONE" end})
S.KILL = setmetatable({}, {__tostring = function() return "KILL" end})

-- nested coroutines of scripts: depth of nesting, negative where a C call below cannot be yielded across
S.depth = setmetatable({}, {__mode = "k"})

return S
