-- tries: to recurse by require of a module inside of a module's name
-- holds: an error is raised
-- outcome: returns False
return { main = function()
  return (pcall(require, string.rep("x", 1000000)))
end }
