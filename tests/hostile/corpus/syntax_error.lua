-- tries: to be no Lua
-- holds: the source is refused at load, with its line
-- outcome: refused unexpected|expected
return { main = function( end }
