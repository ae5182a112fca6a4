"""The only code that touches Lua: VMs, the front end of sources, values on the wire."""
