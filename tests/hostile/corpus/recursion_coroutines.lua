-- tries: to overflow the C stack by coroutines that resume each other
-- holds: an error is raised early
-- outcome: returns True
return { main = function()
  local deepest = 0
  local function f(n)
    deepest = n
    local co = coroutine.create(f)
    return coroutine.resume(co, n + 1)
  end
  f(1)
  return deepest < 1000
end }
