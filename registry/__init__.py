"""The registry of entries: loading, validation, versions, queries and change events. It knows nothing of actors."""

from registry.changes import Action, ChangeSet, Operation
from registry.durations import format_duration, parse_duration
from registry.entry import Entry
from registry.environment import Environment
from registry.errors import FaultsError, RegistryError
from registry.faults import Fault, Problem, Severity
from registry.folder import Folder, load_folder, scan_folder
from registry.handlers import Event, Handler
from registry.history import History, MemoryHistory, NoHistory, Version
from registry.ids import EntryId, complete, parse_id
from registry.kinds import Checked, Kinds
from registry.origins import SourceRef
from registry.overrides import parse_override
from registry.snapshot import Snapshot
from registry.store import Registry

__all__ = [
    "Action",
    "ChangeSet",
    "Checked",
    "Entry",
    "EntryId",
    "Environment",
    "Event",
    "Fault",
    "FaultsError",
    "Folder",
    "Handler",
    "History",
    "Kinds",
    "MemoryHistory",
    "NoHistory",
    "Operation",
    "Problem",
    "Registry",
    "RegistryError",
    "Severity",
    "Snapshot",
    "SourceRef",
    "Version",
    "complete",
    "format_duration",
    "load_folder",
    "parse_duration",
    "parse_id",
    "parse_override",
    "scan_folder",
]
