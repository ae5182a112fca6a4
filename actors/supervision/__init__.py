"""Supervision: restart policies, the state machine of a service, start and stop order, trees, and their actors."""

from actors.supervision.driver import Driver, DriverEvent, Exited, Report, ServiceSpec, Started, StartFailed
from actors.supervision.policy import Lifecycle, RestartPolicy, Startup
from actors.supervision.root import RootSupervisor, StopOutcome
from actors.supervision.service import Desired, ServiceState, ServiceUpdate, Status
from actors.supervision.startup import BatchOutcome
from actors.supervision.strategy import ChildPhase, Restart, Strategy
from actors.supervision.supervisor import Sink, Supervisor, SupervisorStatistics
from actors.supervision.tree import ChildCount, ChildInfo, ChildSpec, TreeService, TreeSpec, TreeSupervisor

__all__ = [
    "BatchOutcome",
    "ChildCount",
    "ChildInfo",
    "ChildPhase",
    "ChildSpec",
    "Desired",
    "Driver",
    "DriverEvent",
    "Exited",
    "Lifecycle",
    "Report",
    "Restart",
    "RestartPolicy",
    "RootSupervisor",
    "ServiceSpec",
    "ServiceState",
    "ServiceUpdate",
    "Sink",
    "StartFailed",
    "Started",
    "Startup",
    "Status",
    "StopOutcome",
    "Strategy",
    "Supervisor",
    "SupervisorStatistics",
    "TreeService",
    "TreeSpec",
    "TreeSupervisor",
]
