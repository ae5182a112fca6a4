"""A bare LuaJIT state for testing the Lua library: modules of actors/lua, and a fake of the kernel's services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lupa.luajit21 as lupa

from actors.vm.door import Door
from actors.vm.door_functions import pure_functions

LUA = Path(__file__).parents[2] / "actors" / "lua"
FAKE = Path(__file__).with_name("fake_rt.lua")


class Lua:
    """A fresh Lua state with `require` of the runtime's own files, `rt` (the fake) and `module(name)`."""

    def __init__(self, door: Door | None = None) -> None:
        self.runtime = lupa.LuaRuntime(
            encoding=None, unpack_returned_tuples=True, register_eval=False, register_builtins=False
        )
        preload = self.runtime.execute(
            b"return function(name, text, chunk) package.preload[name] = function(...) "
            b"return assert(loadstring(text, chunk))(...) end end"
        )
        for file in sorted(LUA.rglob("*.lua")):
            name = ".".join(file.relative_to(LUA).with_suffix("").parts)
            preload(name.encode(), file.read_bytes(), f"={name}.lua".encode())
        self.environment = self.runtime.execute(FAKE.read_bytes(), (door or Door(pure_functions())).call)

    def run(self, code: str, *args: Any) -> Any:
        """Run Lua code as the body of a function with `...`; results are as lupa gives them (texts are bytes)."""
        return self._load(code)(*args)

    def error(self, code: str) -> str:
        """Run Lua code that must raise, and return the text of what it raised."""
        wrapped = self.runtime.execute(
            b"local ok, e = pcall(...) if ok then return nil end return tostring(e)", self._load(code)
        )
        if wrapped is None:
            raise AssertionError(f"nothing was raised by: {code}")
        text: bytes = wrapped
        return text.decode()

    def _load(self, code: str) -> Any:
        return self.runtime.execute(
            b"local code, env = ... return setfenv(assert(loadstring(code, '@test.lua')), env)",
            code.encode(),
            self.environment,
        )
