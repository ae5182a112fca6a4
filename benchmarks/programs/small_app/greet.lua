local function greet(name)
  return require("text").greeting(name)
end

local function add(a, b)
  return a + b
end

return { greet = greet, add = add }
