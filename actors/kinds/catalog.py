"""Every entry kind that exists, and what this release does with it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from actors.kinds.fields import Spec


@dataclass(frozen=True, slots=True)
class KindInfo:
    """One entry kind.

    Attributes:
        name: as in ``kind:``.
        where: module and class of the model; empty for a kind that takes any data. Models are imported when they are
            first needed, since most apps use few kinds and each class costs the start about a millisecond.
        runs: whether this release has a handler for it; an entry of another kind is checked and stored, and using it
            gives Unavailable.
        service: whether its entries have a ``lifecycle``.
    """

    name: str
    where: str
    runs: bool = True
    service: bool = False

    @property
    def model(self) -> type[Spec] | None:
        """What the data of its entries is decoded to; None for a kind that takes any data."""
        if not self.where:
            return None
        module, _, name = self.where.partition(".")
        found: type[Spec] = getattr(importlib.import_module(f"actors.kinds.{module}"), name)
        return found

    @property
    def lua(self) -> bool:
        """Whether its entries hold Lua."""
        return self.name.endswith(".lua")

    @property
    def passive(self) -> bool:
        """Whether its entries are stored without asking a handler and without events."""
        return not self.where


_KINDS: Final = (
    KindInfo("process.lua", "lua.ProcessLuaSpec"),
    KindInfo("function.lua", "lua.FunctionLuaSpec"),
    KindInfo("workflow.lua", "lua.WorkflowLuaSpec", runs=False),
    KindInfo("library.lua", "lua.LibraryLuaSpec"),
    KindInfo("function.python", "others.FunctionPythonSpec"),
    KindInfo("process.python", "others.ProcessPythonSpec", runs=False),
    KindInfo("process.host", "services.ProcessHostSpec", service=True),
    KindInfo("process.service", "services.ProcessServiceSpec", service=True),
    KindInfo("supervisor", "services.SupervisorSpec", service=True),
    KindInfo("terminal.host", "services.TerminalHostSpec", service=True),
    KindInfo("pg.scope", "groups.PgScopeSpec", service=True),
    KindInfo("temporal.client", "temporal.TemporalClientSpec", runs=False, service=True),
    KindInfo("temporal.worker", "temporal.TemporalWorkerSpec", runs=False, service=True),
    KindInfo("env.variable", "environment.EnvVariableSpec"),
    KindInfo("env.storage.memory", "environment.EmptySpec"),
    KindInfo("env.storage.os", "environment.EmptySpec"),
    KindInfo("env.storage.static", "environment.EnvStaticSpec"),
    KindInfo("env.storage.file", "environment.EnvFileSpec"),
    KindInfo("env.storage.router", "environment.EnvRouterSpec"),
    KindInfo("store.memory", "others.StoreMemorySpec", service=True),
    KindInfo("security.policy", "others.SecurityPolicySpec"),
    KindInfo("registry.entry", ""),
    KindInfo("ns.definition", ""),
    KindInfo("ns.requirement", ""),
    KindInfo("ns.dependency", ""),
)

CATALOG: Final[Mapping[str, KindInfo]] = {kind.name: kind for kind in _KINDS}
"""All kinds by name."""

LUA_KINDS: Final = frozenset(kind.name for kind in _KINDS if kind.lua)
"""The kinds that hold Lua; any of them can be imported."""
