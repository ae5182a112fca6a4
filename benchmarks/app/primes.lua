-- Counts the primes up to a limit by trial division: work for the processor and nothing else.
local function count(limit)
  local found = 0
  for candidate = 2, limit do
    local divisor, prime = 2, true
    while divisor * divisor <= candidate do
      if candidate % divisor == 0 then
        prime = false
        break
      end
      divisor = divisor + 1
    end
    if prime then
      found = found + 1
    end
  end
  return found
end

return { count = count }
