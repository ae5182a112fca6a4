-- tries: to overflow the stack by unpack of a thousand million values
-- holds: an error is raised
-- outcome: returns False
return { main = function()
  return (pcall(unpack, {}, 1, 1e9))
end }
