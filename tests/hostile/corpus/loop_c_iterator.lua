-- tries: to keep the VM in a for loop whose iterator is a library function, with an empty body
-- holds: others get their turns, and it can be terminated
-- outcome: lives
return { main = function()
  for _ in pcall, error do end
end }
