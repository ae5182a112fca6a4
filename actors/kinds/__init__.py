"""The entry kinds: typed models of what the entries of an app may hold (spec registry.md §9-11).

The models stand in modules by theme and are imported when they are first asked for: most apps use few kinds, and
each class costs the start of a program about a millisecond.
"""

import importlib
from typing import TYPE_CHECKING, Any

from actors.kinds.catalog import CATALOG, LUA_KINDS, KindInfo
from actors.kinds.checker import EntryKinds
from actors.kinds.fields import Spec

if TYPE_CHECKING:
    from actors.kinds.environment import EnvFileSpec, EnvRouterSpec, EnvStaticSpec, EnvVariableSpec
    from actors.kinds.groups import PgScopeSpec
    from actors.kinds.lifecycle import ActorSpec, LifecycleSpec, RestartSpec, SecuritySpec, ServiceSpec
    from actors.kinds.lua import FunctionLuaSpec, LibraryLuaSpec, MailboxSpec, PoolSpec, ProcessLuaSpec, WorkflowLuaSpec
    from actors.kinds.others import FunctionPythonSpec, ProcessPythonSpec, SecurityPolicySpec, StoreMemorySpec
    from actors.kinds.services import (
        ChildSpec,
        HostSpec,
        ProcessHostSpec,
        ProcessServiceSpec,
        SupervisorSpec,
        TerminalHostSpec,
    )
    from actors.kinds.temporal import TemporalClientSpec, TemporalWorkerSpec, WorkerOptionsSpec

_MODELS = {
    "EnvFileSpec": "environment",
    "EnvRouterSpec": "environment",
    "EnvStaticSpec": "environment",
    "EnvVariableSpec": "environment",
    "PgScopeSpec": "groups",
    "ActorSpec": "lifecycle",
    "LifecycleSpec": "lifecycle",
    "RestartSpec": "lifecycle",
    "SecuritySpec": "lifecycle",
    "ServiceSpec": "lifecycle",
    "FunctionLuaSpec": "lua",
    "LibraryLuaSpec": "lua",
    "MailboxSpec": "lua",
    "PoolSpec": "lua",
    "ProcessLuaSpec": "lua",
    "WorkflowLuaSpec": "lua",
    "FunctionPythonSpec": "others",
    "ProcessPythonSpec": "others",
    "SecurityPolicySpec": "others",
    "StoreMemorySpec": "others",
    "ChildSpec": "services",
    "HostSpec": "services",
    "ProcessHostSpec": "services",
    "ProcessServiceSpec": "services",
    "SupervisorSpec": "services",
    "TerminalHostSpec": "services",
    "TemporalClientSpec": "temporal",
    "TemporalWorkerSpec": "temporal",
    "WorkerOptionsSpec": "temporal",
}

__all__ = [
    "CATALOG",
    "LUA_KINDS",
    "ActorSpec",
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


def __getattr__(name: str) -> Any:
    if name not in _MODELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODELS[name]}"), name)
