-- The module `io` (spec lua-api.md §26): the streams of a terminal, for the process that runs on it.

local S = require("state")
local object = require("object")
local sandbox = require("sandbox")
local errors = require("errors")

local type, error, tostring, select, floor = type, error, tostring, select, math.floor

return function()
  local function here(what)
    local terminal = S.terminal
    if terminal and terminal.process == S.current then return terminal end
    return nil, errors.make("Unavailable", what .. ": only the process of a terminal host has a terminal")
  end

  local function line(stream, what, separator, ending)
    return function(...)
      local terminal, err = here(what)
      if not terminal then return nil, err end
      return terminal.write(stream, sandbox.join(separator, ...) .. ending)
    end
  end

  local io = {
    print = line(1, "io.print", "\t", "\n"),
    eprint = line(2, "io.eprint", "\t", "\n"),
  }

  function io.write(...)
    local terminal, err = here("io.write")
    if not terminal then return nil, err end
    for i = 1, select("#", ...) do
      local v = (select(i, ...))
      if type(v) ~= "string" and type(v) ~= "number" and not errors.is_error(v) then
        error("bad argument #" .. i .. " to 'write' (string expected, got " .. object.type(v) .. ")", 2)
      end
    end
    return terminal.write(1, sandbox.join("", ...))
  end

  --- Everything that was written is on its way already.
  function io.flush()
    local terminal, err = here("io.flush")
    if not terminal then return nil, err end
    return true
  end

  function io.readline()
    local terminal, err = here("io.readline")
    if not terminal then return nil, err end
    return terminal.read(nil, "io.readline")
  end

  function io.read(n)
    local terminal, err = here("io.read")
    if not terminal then return nil, err end
    if n == nil then n = 1024 end
    if type(n) ~= "number" then error("bad argument #1 to 'read' (number expected, got " .. object.type(n) .. ")", 2) end
    n = floor(n)
    if not (n >= 1) then n = 1024 elseif n > 1048576 then n = 1048576 end
    return terminal.read(n, "io.read")
  end

  function io.args()
    local terminal, err = here("io.args")
    if not terminal then return nil, err end
    local copied = {}
    for i = 1, #terminal.args do copied[i] = tostring(terminal.args[i]) end
    return copied
  end

  function io.raw()
    local terminal, err = here("io.raw")
    if not terminal then return nil, err end
    return nil, errors.make("Unavailable", "io.raw: this release has no raw mode yet")
  end

  return io
end
