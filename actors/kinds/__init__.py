"""The entry kinds: typed models of what the entries of an app may hold (spec registry.md §9-11).

The models stand in modules by theme: `lua`, `services`, `lifecycle`, `groups`, `temporal`, `environment`, `others`.
"""

from actors.kinds.catalog import CATALOG, LUA_KINDS, KindInfo
from actors.kinds.checker import EntryKinds
from actors.kinds.fields import Spec

__all__ = ["CATALOG", "LUA_KINDS", "EntryKinds", "KindInfo", "Spec"]
