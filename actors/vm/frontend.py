"""The front end of Lua sources, callable from any thread: safepoints in, annotations out, faults with their place."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from actors.vm.sources import lua_modules, read_lua

_CACHED_SOURCES: Final = 1024

# What runs inside the Lua state. It hands out plain values only: text and whether the source is stateless, or nil with
# line, column and message. The text is compiled twice and never run: alone, so that nothing in it can close the
# wrapper, and in the wrapper, whose bounds on upvalues and nesting are those that will hold.
_DRIVER: Final = rb"""
local preload, frontend = package.preload, nil
local loadstring, match, tonumber = loadstring, string.match, tonumber

local function install(name, source)
  preload[name] = assert(loadstring(source, "=" .. name))
end

local function refusal(text)
  local chunk, fault = loadstring(text, "=x")
  if chunk then
    chunk, fault = loadstring("local __r = ... return function(...) " .. text .. "\nend", "=x")
  end
  return fault
end

local function translate(source)
  frontend = frontend or require("frontend")
  local text, stateless = frontend.translate(source)
  if not text then
    local fault = stateless
    return nil, fault.line, fault.column, fault.message
  end
  local fault = refusal(text)
  if fault then
    local line, message = match(fault, "^x:(%d+): (.*)$")
    return nil, tonumber(line) or 1, 1, message or fault
  end
  return text, stateless
end

return install, translate
"""

# What LuaJIT's own bounds mean for the author of a source.
_ADVICE: Final = {
    "chunk has too many syntax levels": "blocks, brackets and operators of one expression count: split it up",
    "function or expression too complex": "it needs too many values at once: split it up",
    "control structure too long": "a loop or branch holds too much code: move parts of it into functions",
    "65536 constants": "one function holds too many different values: split it up",
    "65476 local variables": "it has too many names, gotos and breaks: split it up",
}


class SourceError(Exception):
    """Raised when a Lua source cannot be loaded; nothing of it has run.

    Correct the source at the place named.

    Attributes:
        name: the source, as the caller named it.
        line: counts from 1.
        column: in bytes, counts from 1.
        message: what is wrong, in words, without the place.
    """

    def __init__(self, name: str, line: int, column: int, message: str) -> None:
        super().__init__(f"{name}:{line}:{column}: {message}")
        self.name = name
        self.line = line
        self.column = column
        self.message = message


@dataclass(frozen=True, slots=True)
class _Fault:
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class _Translation:
    text: bytes
    stateless: bool


class FrontEnd:
    """Prepares Lua sources for the VMs of the runtime (design §4; spec types.md).

    Any thread may call it; one Lua state serves them all, one call at a time. It is made at the first call, so that
    building a `FrontEnd` costs nothing. Results are kept by content, so that a source of many VMs is translated once.

    Args:
        cached: how many results are kept; the one that was not asked for longest goes first.
    """

    def __init__(self, cached: int = _CACHED_SOURCES) -> None:
        self._limit = cached
        self._results: OrderedDict[bytes, _Translation | _Fault] = OrderedDict()
        self._translate: Callable[[bytes], Any] | None = None
        self._lock = threading.Lock()  # guards the Lua state and the results

    def translate(self, source: bytes | str, name: str) -> bytes:
        """Return the source with safepoints and without type annotations, ready for the loader's wrapper.

        The wrapper makes the text the body of a vararg function that has the upvalue ``__r``:
        ``local __r = ... return function(...) TEXT \\nend``. Every token of the source keeps its line. The text has
        been compiled by LuaJIT once, so that loading it in a VM does not fail; it has not been run. Blocks for the
        translation, some milliseconds for 2,000 lines, and for those of other threads before it.

        Args:
            source: the source; a str counts as UTF-8.
            name: what the source is called in errors, such as ``"app:worker"`` or a path.

        Raises:
            SourceError: the source is not valid; tells where and what was expected.
        """
        return self._translation(source, name).text

    def stateless(self, source: bytes | str, name: str) -> bool:
        """Tell whether the script keeps nothing at its top level, so that processes can share what it returns.

        True is a promise: its top level only names values that cannot change and returns, and no code of it assigns a
        global or one of those names. Running it once for all processes of a VM then differs in nothing from running
        it for each, as long as it imports no library: an import is a value of each process. False says nothing.
        Costs and blocks as `translate`, whose result it shares.

        Args:
            source: the source; a str counts as UTF-8.
            name: what the source is called in errors.

        Raises:
            SourceError: as `translate`.
        """
        return self._translation(source, name).stateless

    def _translation(self, source: bytes | str, name: str) -> _Translation:
        content = source.encode() if isinstance(source, str) else bytes(source)
        key = hashlib.sha256(content).digest()
        with self._lock:
            result = self._results.get(key)
            if result is None:
                result = self._results[key] = self._run(content)
                if len(self._results) > self._limit:
                    self._results.popitem(last=False)
            else:
                self._results.move_to_end(key)
        if isinstance(result, _Fault):
            raise SourceError(name, result.line, result.column, result.message)
        return result

    def _run(self, content: bytes) -> _Translation | _Fault:
        if self._translate is None:
            self._translate = _load()
        answer = self._translate(content)
        if len(answer) == 2:
            text, stateless = answer
            return _Translation(text, stateless)
        _, line, column, message = answer
        return _Fault(int(line), int(column), _explained(message.decode("utf-8", "replace")))


def _explained(message: str) -> str:
    """Add to a message of LuaJIT's compiler what to do about it."""
    return next((f"{message} ({advice})" for bound, advice in _ADVICE.items() if bound in message), message)


def _load() -> Callable[[bytes], Any]:
    """Start a Lua state with the front end in it and return its one function."""
    from lupa.luajit21 import LuaRuntime

    lua = LuaRuntime(unpack_returned_tuples=True, encoding=None, register_eval=False, register_builtins=False)
    install, translate = lua.execute(_DRIVER)
    for module in lua_modules("frontend"):
        install(module.encode(), read_lua(module))
    function: Callable[[bytes], Any] = translate
    return function
