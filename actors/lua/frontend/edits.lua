-- What is taken out of a source and what is put in, in the order of the source; the rest of it stays byte for byte.

local concat = table.concat
local gsub, sub = string.gsub, string.sub

local edits = {}

---@class Edits parallel arrays: bytes first[i] .. last[i] become text[i]; an insertion before a byte ends before it
---@field count integer
---@return Edits
function edits.new()
  return { count = 0, first = {}, last = {}, text = {} }
end

---@param list Edits
---@param before integer the byte before which the text goes
function edits.insert(list, before, text)
  local count = list.count + 1
  list.count = count
  list.first[count], list.last[count], list.text[count] = before, before - 1, text
end

--- Takes bytes out. Blanks take their place and line breaks stay, so lines and columns keep their numbers.
--- What was noted since `mark` lies within these bytes and goes with them.
function edits.erase(list, source, first, last, mark)
  list.count = mark
  edits.insert(list, first, (gsub(sub(source, first, last), "[^\r\n]", " ")))
  list.last[mark + 1] = last
end

--- Lets the newest erasure end the statement before it: its first blank becomes a semicolon.
function edits.end_statement(list)
  local count = list.count
  list.text[count] = ";" .. sub(list.text[count], 2)
end

---@return string the source with all edits made
function edits.apply(list, source)
  local first, last, text = list.first, list.last, list.text
  local parts, size, at = {}, 0, 1
  for i = 1, list.count do
    parts[size + 1], parts[size + 2] = sub(source, at, first[i] - 1), text[i]
    size = size + 2
    at = last[i] + 1
  end
  parts[size + 1] = sub(source, at)
  return concat(parts)
end

return edits
