"""The Lua files that ship with the package, as bytes."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

_FOLDER: Final = "lua"
_INIT: Final = "init"


def _folder() -> Traversable:
    return resources.files("actors").joinpath(_FOLDER)


def read_lua(name: str) -> bytes:
    """Return the source of a Lua module of the runtime.

    Args:
        name: the name as `require` takes it inside a VM: ``"frontend.lexer"`` is ``actors/lua/frontend/lexer.lua``, and
            ``"frontend"`` is ``actors/lua/frontend.lua``, or ``actors/lua/frontend/init.lua`` where that is a folder.

    Raises:
        FileNotFoundError: the package ships no such module.
    """
    parts = name.split(".")
    folder = _folder()
    single = folder.joinpath(*parts[:-1], f"{parts[-1]}.lua")
    if single.is_file():
        return single.read_bytes()
    initial = folder.joinpath(*parts, f"{_INIT}.lua")
    if initial.is_file():
        return initial.read_bytes()
    raise FileNotFoundError(f"the package ships no Lua module {name!r}: expected actors/lua/{'/'.join(parts)}.lua")


def lua_modules(package: str) -> tuple[str, ...]:
    """Return the names of a Lua package and of the modules in its folder, sorted; the package itself comes first.

    ``lua_modules("frontend")`` is ``("frontend", "frontend.cursor", ...)``: what goes into ``package.preload``.
    """
    entries = _folder().joinpath(*package.split(".")).iterdir()
    stems = sorted(entry.name.removesuffix(".lua") for entry in entries if entry.name.endswith(".lua"))
    return tuple(package if stem == _INIT else f"{package}.{stem}" for stem in sorted(stems, key=lambda s: s != _INIT))
