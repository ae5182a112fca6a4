"""From entries to what runs: the runtime's part in every change of the registry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from actors.definitions import Definitions
from actors.errors import Failure
from actors.functions import PythonFunctions, TargetError
from actors.hosts import HostDriver, ProcessDriver, ProcessHost, Switchboard
from actors.hosts.host import HostSettings
from actors.kinds import CATALOG, LUA_KINDS
from actors.kinds.lifecycle import LifecycleSpec, SecuritySpec
from actors.kinds.services import ChildSpec as ChildEntry
from actors.kinds.services import ProcessHostSpec, ProcessServiceSpec, SupervisorSpec, TerminalHostSpec
from actors.supervision import (
    BatchOutcome,
    ChildSpec,
    Driver,
    Lifecycle,
    Restart,
    RestartPolicy,
    RootSupervisor,
    ServiceSpec,
    StartFailed,
    Startup,
    Strategy,
    TreeService,
    TreeSpec,
)
from actors.supervision.driver import Report
from actors.vm.wire import Input, check
from registry import Action, Entry, Fault, FaultsError, Operation, Registry, RegistryError, Severity

log = logging.getLogger(__name__)

BatchDone = Callable[[BatchOutcome], object]

Resource = Callable[[str, Any], Driver]

HOST_KINDS: Final = ("process.host", "terminal.host")
"""The kinds whose entries run processes in VMs."""


class _NotYet:
    """The driver of a service whose kind this release does not run: every start fails, for good."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def start(self, report: Report) -> None:
        text = f"{self._entry.id} is a {self._entry.kind}, which this release does not run yet"
        report(StartFailed(Failure(text, "Unavailable", False)))

    def stop(self, reason: str) -> None:
        """Nothing runs."""

    def kill(self) -> None:
        """Nothing runs."""


class Assembly:
    """Takes part in the registry's applies (`registry.Handler`): checks, then starts, updates and stops.

    All calls come from the thread that applies. Starting is not waited for here: `settled` is told of each batch.

    Args:
        launch_host: starts the actor of a host entry with its settings.
        sink: hears of state changes inside of trees.
        max_memory: bytes that a VM may take. args: the arguments of the terminal.
        identity: makes of a service's `security` what its process runs under, as the kernel reads it.
        resources: makes the drivers of further kinds, from the id and the model of their entries.
    """

    def __init__(
        self,
        registry: Registry,
        board: Switchboard,
        root: RootSupervisor,
        definitions: Definitions,
        python: PythonFunctions,
        launch_host: Callable[[str, HostSettings], ProcessHost],
        *,
        tree: Callable[[TreeSpec], TreeService],
        max_memory: int,
        started: Callable[[BatchDone], BatchDone],
        args: tuple[str, ...] = (),
        identity: Callable[[SecuritySpec | None], str | None] = lambda security: None,
        resources: Mapping[str, Resource] = MappingProxyType({}),
    ) -> None:
        self._registry = registry
        self._board = board
        self._root = root
        self._definitions = definitions
        self._python = python
        self._launch_host = launch_host
        self._tree = tree
        self._max_memory = max_memory
        self._started = started
        self._args = args
        self._identity = identity
        self._resources = resources
        self._models: dict[str, tuple[Entry, Any]] = {}
        self._trees: dict[str, TreeService] = {}
        self._told: set[str] = set()
        self._top: set[str] = set()  # what the root supervisor has; the rest is below trees
        self._leaving: list[str] = []  # deletes that this apply has accepted
        self._tree_changes: list[Callable[[], None]] = []

    def prepare(self, operation: Operation) -> None:
        """Refuse Lua that does not parse, a host's change that cannot be made in place, and a removal that a running
        service forbids.
        """
        entry = operation.entry
        if operation.action is Action.DELETE:
            # dependents come first: what goes with the same change set forbids nothing
            conflicts = self._root.removal_conflicts([*self._leaving, entry.id])
            if conflicts:
                raise RegistryError(conflicts[0].message, kind=conflicts[0].kind)
            self._leaving.append(entry.id)
            return
        if entry.kind in LUA_KINDS:
            self._definitions.check(entry)
        if entry.kind == "function.python":
            self._stage(operation)
        if operation.action is Action.UPDATE and entry.kind == "process.host":
            _check_host_update(operation)
        self._tell_not_yet(entry)

    def undo(self, operation: Operation) -> None:
        """Nothing took effect yet."""

    def discard(self) -> None:
        """Nothing took effect yet."""
        self._leaving.clear()
        self._python.discard()

    def commit(self, operations: Sequence[Operation]) -> None:
        """Carry the change set out: VMs forget what changed, services are added, changed and removed."""
        self._leaving.clear()
        changed = [operation.id for operation in operations if operation.action is not Action.CREATE]
        if changed:
            self._definitions.forget(changed)
            self._board.tell_all([Input.INVALIDATE, changed])
        self._python.commit([operation.id for operation in operations if operation.action is Action.DELETE])
        self._note_functions(operations)
        removed = []
        touched: set[str] = set()
        for operation in operations:
            entry = operation.entry
            if operation.action is Action.DELETE:
                self._models.pop(entry.id, None)
                self._trees.pop(entry.id, None)
                if _is_service(entry):
                    removed.append(entry.id)
                if entry.kind in HOST_KINDS:
                    self._board.set_host(entry.id, None)
                continue
            if _is_service(entry):
                self._models[entry.id] = (entry, operation.model)
                touched.add(entry.id)
            if entry.kind in HOST_KINDS:
                if self._board.host_state(entry.id) is None:
                    self._board.set_host(entry.id, "stopped")
                elif entry.kind == "process.host":
                    self._board.resize(entry.id, operation.model.host.workers)
            elif entry.kind == "temporal.worker":
                self._board.set_host(entry.id, "stopped")
        self._arrange(touched, set(removed))

    def _arrange(self, touched: set[str], removed: set[str]) -> None:
        """Have the root supervisor and the trees take over what has changed."""
        children = {child.id for _, model in self._models.values() for child in _children(model)}
        top = self._models.keys() - children
        touched = self._with_parents(touched)
        specs = [self._spec(id) for id in sorted(top & touched | (top - self._top))]
        gone = sorted(self._top & removed | (self._top - top))
        stay = self._top - set(gone)
        adopted = any(id in children for id in gone)
        changes, self._tree_changes = self._tree_changes, []
        self._top = top
        settled = self._started(_log_outcome)
        added = [spec for spec in specs if spec.id not in stay]
        updated = [spec for spec in specs if spec.id in stay]

        def go_on(_: object = None) -> None:
            for change in changes:
                change()
            self._root.apply(added=added, updated=updated, removed=() if adopted else gone, settled=settled)

        if adopted:  # no service runs twice: it stops here before its tree starts it
            self._root.apply(removed=gone, settled=go_on)
        else:
            go_on()

    def _with_parents(self, ids: set[str]) -> set[str]:
        """Return services with the trees that they are in, up to the top."""
        parents = {child.id: id for id, (_, model) in self._models.items() for child in _children(model)}
        found = set(ids)
        ahead = list(ids)
        while ahead:
            parent = parents.get(ahead.pop())
            if parent is not None and parent not in found:
                found.add(parent)
                ahead.append(parent)
        return found

    def _stage(self, operation: Operation) -> None:
        entry, model = operation.entry, operation.model
        try:
            self._python.stage(entry.id, model.source, model.pool.workers)
        except TargetError as error:
            file, line = self._registry.place_of(entry, "source")
            fault = Fault(Severity.FAULT, file, line, entry.id, "source", str(error), "", error.hint)
            raise FaultsError([fault]) from error

    def _note_functions(self, operations: Sequence[Operation]) -> None:
        # VMs that run make the environments now, others when they start
        functions = {op.id: op for op in operations if op.entry.kind == "function.lua"}
        warm = sorted(id for id, op in functions.items() if op.model is not None and op.model.pool.warm_start)
        self._board.functions |= functions.keys()  # for good: calls of a removed function may still run
        self._board.warm = (self._board.warm - functions.keys()).union(warm)
        if warm:
            self._board.tell_all([Input.WARM, warm])

    def _spec(self, id: str) -> ServiceSpec:
        entry, model = self._models[id]
        lifecycle = _lifecycle(model.lifecycle)
        needs = tuple(model.lifecycle.needs)
        references = tuple(self._registry.dependencies(id) - set(needs))
        if isinstance(model, SupervisorSpec):
            spec = self._tree_spec(id, model)
            tree = self._trees.get(id)
            if tree is None:
                tree = self._trees[id] = self._tree(spec)
            else:
                tree.spec = spec  # for `service`; what lives learns of it when its time has come
                self._tree_changes.append(partial(tree.change, spec))
            return tree.service(lifecycle, needs, references)
        return ServiceSpec(id, lambda: self._driver(id), lifecycle, needs, references, noun=_noun(entry.kind))

    def _tree_spec(self, id: str, model: SupervisorSpec) -> TreeSpec:
        children = []
        for child in _children(model):
            restart = self._models[child.id][1].lifecycle.restart
            delays = _policy(restart) if restart.delays_written else None
            children.append(ChildSpec(self._spec(child.id), Restart(child.restart), delays))
        return TreeSpec(id, tuple(children), Strategy(model.strategy), model.intensity, model.period)

    def _driver(self, id: str) -> Driver:
        """Make the driver of the next life, from the entry as it is now."""
        entry, model = self._models[id]
        if isinstance(model, ProcessServiceSpec):
            args = [check(value) for value in _thaw(model.input)]
            security = model.lifecycle.security
            return ProcessDriver(self._board, model.process, model.host, args, lambda: self._identity(security))
        if isinstance(model, ProcessHostSpec):
            settings = HostSettings(
                workers=model.host.workers,
                max_processes=model.host.max_processes,
                mailbox_limit=model.mailbox.limit,
                mailbox_overflow=model.mailbox.overflow,
                max_memory=self._max_memory,
            )
            return HostDriver(lambda: self._launch_host(id, settings))
        if isinstance(model, TerminalHostSpec):
            alone = HostSettings(
                workers=1, max_memory=self._max_memory, terminal=True, hide_logs=model.hide_logs, args=self._args
            )
            return HostDriver(lambda: self._launch_host(id, alone))
        make = self._resources.get(entry.kind)
        return make(id, model) if make is not None else _NotYet(entry)

    def _tell_not_yet(self, entry: Entry) -> None:
        info = CATALOG.get(entry.kind)
        if info is not None and not info.runs and entry.id not in self._told:
            self._told.add(entry.id)
            log.warning(
                "%s is a %s: it is checked and stored, but not run yet in this release (using it gives Unavailable)",
                entry.id,
                entry.kind,
                extra={"entry": entry.id},
            )


def _is_service(entry: Entry) -> bool:
    info = CATALOG.get(entry.kind)
    return info is not None and info.service


def _children(model: Any) -> list[ChildEntry]:
    return model.children if isinstance(model, SupervisorSpec) else []


def _noun(kind: str) -> str:
    return "process" if kind == "process.service" else kind.rpartition(".")[2]


def _thaw(value: Any) -> list[Any]:
    return list(value)


def _policy(restart: Any) -> RestartPolicy:
    return RestartPolicy(
        initial_delay=restart.initial_delay,
        max_delay=restart.max_delay,
        backoff_factor=restart.backoff_factor,
        jitter=restart.jitter,
        max_attempts=restart.max_attempts,
    )


def _lifecycle(spec: LifecycleSpec) -> Lifecycle:
    return Lifecycle(
        auto_start=spec.auto_start,
        startup=Startup(spec.startup),
        start_timeout=spec.start_timeout,
        stop_timeout=spec.stop_timeout,
        stable_threshold=spec.stable_threshold,
        restart=_policy(spec.restart),
    )


def _check_host_update(operation: Operation) -> None:
    """Accept a change of `workers` alone (registry.md OP-8)."""

    def rest(entry: Entry) -> dict[str, Any]:
        data = dict(entry.data)
        host = {key: value for key, value in dict(data.pop("host", {})).items() if key != "workers"}
        data.pop("lifecycle", None)
        return {**data, "host": host}

    if operation.previous is not None and rest(operation.entry) != rest(operation.previous):
        raise RegistryError(
            f"{operation.id}: of a process.host only host.workers and lifecycle can be changed while it exists; "
            "delete it and create it again",
            kind="Invalid",
        )


def _log_outcome(outcome: BatchOutcome) -> None:
    for error in outcome.errors:
        log.debug("start batch: %s", error.message)
