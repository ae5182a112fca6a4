-- tries: to overflow the C stack by sorts inside of sorts
-- holds: an error is raised
-- outcome: fails .
return { main = function()
  local function f()
    table.sort({ 1, 2, 3 }, function(a, b)
      f()
      return a < b
    end)
  end
  f()
end }
