-- tries: to close the function that the loader puts around a source
-- holds: the source is refused at load
-- outcome: refused .
return {} end end while true do end
do do
