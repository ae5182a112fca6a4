"""The entry kinds: typed models of what the entries of an app may hold (spec registry.md §9-11)."""

from actors.kinds.catalog import CATALOG, LUA_KINDS, KindInfo
from actors.kinds.checker import EntryKinds
from actors.kinds.fields import Spec
from actors.kinds.lifecycle import LifecycleSpec, RestartSpec, SecuritySpec, ServiceSpec
from actors.kinds.lua import FunctionLuaSpec, LibraryLuaSpec, MailboxSpec, PoolSpec, ProcessLuaSpec, WorkflowLuaSpec
from actors.kinds.others import (
    EnvFileSpec,
    EnvRouterSpec,
    EnvStaticSpec,
    EnvVariableSpec,
    FunctionPythonSpec,
    ProcessPythonSpec,
    SecurityPolicySpec,
    StoreMemorySpec,
)
from actors.kinds.services import (
    ChildSpec,
    HostSpec,
    PgScopeSpec,
    ProcessHostSpec,
    ProcessServiceSpec,
    SupervisorSpec,
    TerminalHostSpec,
)
from actors.kinds.temporal import TemporalClientSpec, TemporalWorkerSpec, WorkerOptionsSpec

__all__ = [
    "CATALOG",
    "LUA_KINDS",
    "ChildSpec",
    "EntryKinds",
    "EnvFileSpec",
    "EnvRouterSpec",
    "EnvStaticSpec",
    "EnvVariableSpec",
    "FunctionLuaSpec",
    "FunctionPythonSpec",
    "HostSpec",
    "KindInfo",
    "LibraryLuaSpec",
    "LifecycleSpec",
    "MailboxSpec",
    "PgScopeSpec",
    "PoolSpec",
    "ProcessHostSpec",
    "ProcessLuaSpec",
    "ProcessPythonSpec",
    "ProcessServiceSpec",
    "RestartSpec",
    "SecurityPolicySpec",
    "SecuritySpec",
    "ServiceSpec",
    "Spec",
    "StoreMemorySpec",
    "SupervisorSpec",
    "TemporalClientSpec",
    "TemporalWorkerSpec",
    "TerminalHostSpec",
    "WorkerOptionsSpec",
    "WorkflowLuaSpec",
]
