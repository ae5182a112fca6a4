"""A random walk through applies and versions, against the simplest model: one dict for each version."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry import Action, ChangeSet, Entry, Operation, Registry, RegistryError

NAMES = st.sampled_from(["a", "b", "c", "d"])
KINDS = st.sampled_from(["k", "other"])
DATA = st.fixed_dictionaries({"v": st.integers(0, 3)}, optional={"host": NAMES})
STEPS = st.lists(st.tuples(st.sampled_from(["create", "update", "delete"]), NAMES, KINDS, DATA), min_size=1, max_size=5)

State = dict[str, tuple[str, Any]]


class Mirror:
    """A handler that keeps what it was told, as the runtime would."""

    def __init__(self) -> None:
        self.live: State = {}
        self.before: list[tuple[Operation, State]] = []
        self.in_order = True
        self.poison: str | None = None

    def prepare(self, operation: Operation) -> None:
        if operation.id == self.poison:
            raise RegistryError("poison", kind="Invalid")
        self.before.append((operation, dict(self.live)))
        if operation.action is Action.CREATE:
            assert operation.id not in self.live
        else:
            assert operation.id in self.live
        if operation.action is Action.UPDATE:
            assert operation.entry.kind == self.live[operation.id][0]
        if operation.action is Action.DELETE:
            del self.live[operation.id]
        else:
            self.live[operation.id] = (operation.entry.kind, operation.entry.data)

    def undo(self, operation: Operation) -> None:
        accepted, self.live = self.before.pop()
        self.in_order = self.in_order and accepted is operation

    def commit(self, operations: Any) -> None:
        self.before.clear()

    def discard(self) -> None:
        self.in_order = self.in_order and not self.before


class RegistryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.registry = Registry([Entry("n:a", "k", {}, {"v": 0}), Entry("n:b", "k", {}, {"v": 0, "host": "a"})])
        self.handler = Mirror()
        self.registry.attach(self.handler)
        self.states: dict[int, State] = {0: {"n:a": ("k", {"v": 0}), "n:b": ("k", {"v": 0, "host": "a"})}}
        self.head = 0

    def expect(self, steps: list[tuple[str, str, str, Any]]) -> State | None:
        state = dict(self.states[self.head])
        for action, name, kind, data in steps:
            entry_id = f"n:{name}"
            known = state.get(entry_id)
            if action == "create":
                fits = known is None
            else:
                fits = known is not None and (action == "delete" or known[0] == kind)
            if not fits:
                return None
            if action == "delete":
                del state[entry_id]
            else:
                state[entry_id] = (kind, data)
        return state

    def fitting(
        self, names: set[str], deletes: set[str], replace: bool, kind: str, data: Any
    ) -> list[tuple[str, str, str, Any]]:
        """Make steps that fit the current state: create what is not there, change, replace or delete what is."""
        steps = []
        for name in sorted(names):
            known = self.states[self.head].get(f"n:{name}")
            if known is None:
                steps.append(("create", name, kind, data))
            elif name in deletes:
                steps.append(("delete", name, kind, data))
            elif replace:
                steps += [("delete", name, kind, data), ("create", name, kind, data)]
            else:
                steps.append(("update", name, known[0], data))
        return steps

    def changes(self, steps: list[tuple[str, str, str, Any]]) -> ChangeSet:
        changes = ChangeSet()
        for action, name, kind, data in steps:
            entry = Entry(f"n:{name}", kind, {}, data)
            if action == "delete":
                changes.delete(entry.id)
            else:
                getattr(changes, action)(entry)
        return changes

    @rule(steps=STEPS)
    def apply(self, steps: list[tuple[str, str, str, Any]]) -> None:
        wanted = self.expect(steps)
        try:
            version = self.registry.apply(self.changes(steps))
        except RegistryError:
            assert wanted is None
            return
        assert wanted is not None
        if version.id == self.head:
            assert wanted == self.states[self.head]
        else:
            assert version.id == max(self.states) + 1
            assert version.previous == self.head
            self.states[version.id] = wanted
            self.head = version.id

    @rule(names=st.sets(NAMES, min_size=1), deletes=st.sets(NAMES), replace=st.booleans(), kind=KINDS, data=DATA)
    def apply_what_fits(self, names: set[str], deletes: set[str], replace: bool, kind: str, data: Any) -> None:
        self.apply(self.fitting(names, deletes, replace, kind, data))

    @rule(names=st.sets(NAMES, min_size=2), deletes=st.sets(NAMES), kind=KINDS, data=DATA, poison=NAMES)
    def apply_with_a_refusal(self, names: set[str], deletes: set[str], kind: str, data: Any, poison: str) -> None:
        steps = self.fitting(names, deletes, False, kind, data)
        wanted = self.expect(steps)
        self.handler.poison = f"n:{poison}"
        try:
            version = self.registry.apply(self.changes(steps))
        except RegistryError:
            return
        finally:
            self.handler.poison = None
        assert wanted is not None
        assert wanted.get(f"n:{poison}") == self.states[self.head].get(f"n:{poison}")
        if version.id != self.head:
            self.states[version.id] = wanted
            self.head = version.id

    @rule(data=st.data())
    def go_to_any_version(self, data: Any) -> None:
        goal = data.draw(st.sampled_from(sorted(self.states)))
        assert self.registry.apply_version(goal).id == goal
        self.head = goal

    @rule()
    def roll_back(self) -> None:
        if self.head == 0:
            with pytest.raises(RegistryError):
                self.registry.rollback()
        else:
            self.head = self.registry.rollback().id

    @invariant()
    def registry_handler_and_model_agree(self) -> None:
        assert self.registry.version == self.head
        shown = {entry.id: (entry.kind, entry.data) for entry in self.registry.find()}
        assert shown == self.states[self.head]
        assert self.handler.live == self.states[self.head]
        assert self.handler.in_order

    @invariant()
    def every_version_can_be_looked_at(self) -> None:
        for version, state in self.states.items():
            assert {e.id: (e.kind, e.data) for e in self.registry.snapshot_at(version)} == state


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
