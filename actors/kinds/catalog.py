"""Every entry kind that exists, and what this release does with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from actors.kinds import lua, others, services, temporal
from actors.kinds.fields import Spec
from actors.kinds.lifecycle import ServiceSpec


@dataclass(frozen=True, slots=True)
class KindInfo:
    """One entry kind.

    Attributes:
        name: as in ``kind:``.
        model: what its data is decoded to; None for a kind that takes any data.
        runs: whether this release has a handler for it; an entry of another kind is checked and stored, and using it
            gives Unavailable.
        passive: stored without asking a handler and without events.
    """

    name: str
    model: type[Spec] | None
    runs: bool = True
    passive: bool = False

    @property
    def service(self) -> bool:
        """Whether its entries have a ``lifecycle``."""
        return self.model is not None and issubclass(self.model, ServiceSpec)

    @property
    def lua(self) -> bool:
        """Whether its entries hold Lua."""
        return self.model is not None and issubclass(self.model, lua.LibraryLuaSpec)


_KINDS: Final = (
    KindInfo("process.lua", lua.ProcessLuaSpec),
    KindInfo("function.lua", lua.FunctionLuaSpec),
    KindInfo("workflow.lua", lua.WorkflowLuaSpec, runs=False),
    KindInfo("library.lua", lua.LibraryLuaSpec),
    KindInfo("function.python", others.FunctionPythonSpec, runs=False),
    KindInfo("process.python", others.ProcessPythonSpec, runs=False),
    KindInfo("process.host", services.ProcessHostSpec),
    KindInfo("process.service", services.ProcessServiceSpec),
    KindInfo("supervisor", services.SupervisorSpec),
    KindInfo("terminal.host", services.TerminalHostSpec, runs=False),
    KindInfo("pg.scope", services.PgScopeSpec, runs=False),
    KindInfo("temporal.client", temporal.TemporalClientSpec, runs=False),
    KindInfo("temporal.worker", temporal.TemporalWorkerSpec, runs=False),
    KindInfo("env.variable", others.EnvVariableSpec),
    KindInfo("env.storage.memory", others.EmptySpec),
    KindInfo("env.storage.os", others.EmptySpec),
    KindInfo("env.storage.static", others.EnvStaticSpec),
    KindInfo("env.storage.file", others.EnvFileSpec),
    KindInfo("env.storage.router", others.EnvRouterSpec),
    KindInfo("store.memory", others.StoreMemorySpec, runs=False),
    KindInfo("security.policy", others.SecurityPolicySpec, runs=False),
    KindInfo("registry.entry", None, passive=True),
    KindInfo("ns.definition", None, passive=True),
    KindInfo("ns.requirement", None, passive=True),
    KindInfo("ns.dependency", None, passive=True),
)

CATALOG: Final[Mapping[str, KindInfo]] = {kind.name: kind for kind in _KINDS}
"""All kinds by name."""

LUA_KINDS: Final = frozenset(kind.name for kind in _KINDS if kind.lua)
"""The kinds that hold Lua; any of them can be imported."""
