-- tries: to overflow the C stack by coroutines inside of comparators inside of coroutines
-- holds: an error is raised early
-- outcome: ends
return { main = function()
  local function f()
    table.sort({ 2, 1 }, function()
      coroutine.wrap(f)()
      return false
    end)
  end
  return (pcall(f))
end }
