local function main(name)
  return require("text").greeting(name)
end

return { main = main }
