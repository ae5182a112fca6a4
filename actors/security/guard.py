"""What the VMs ask about permissions: policies by id, groups of them, verdicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from actors.errors import INVALID, NOT_FOUND, ProcessError
from actors.security.policy import Policy, Query, Verdict, combine

if TYPE_CHECKING:
    from actors.kinds.lifecycle import SecuritySpec
    from actors.vm.door import Function
    from registry import Entry, Registry

_KIND: Final = "security.policy"


class Guard:
    """Answers from the registry as it is. Safe from any thread; nothing waits.

    Args:
        strict: code without an actor or without a scope may do nothing that is checked.
    """

    def __init__(self, registry: Registry, *, strict: bool = False) -> None:
        self._registry = registry
        self._strict = strict
        self._made: dict[str, tuple[Entry, Policy]] = {}

    def functions(self) -> dict[str, Function]:
        """Return the functions of the door: ``security`` (a query, the verdict), ``security.policy`` (an id, nothing),
        ``security.group`` (an id, the ids of its policies), ``security.strict``. Data crosses as JSON.
        """
        return {
            "security": self._answer,
            "security.policy": lambda id: self.policy(_text(id)).id.encode(),
            "security.group": lambda id: json.dumps(self.group(_text(id))).encode(),
            "security.strict": lambda: b"1" if self._strict else b"0",
        }

    def policy(self, id: str) -> Policy:
        """Return a policy.

        Raises:
            ProcessError: NotFound.
        """
        entry = self._registry.get(id) if id in self._registry else None
        if entry is None or entry.kind != _KIND:
            raise ProcessError(f"no such policy: {id}", kind=NOT_FOUND, retryable=False)
        made = self._made.get(id)
        if made is None or made[0] is not entry:
            made = self._made[id] = (entry, Policy.of(id, self._registry.decode(entry)))
        return made[1]

    def group(self, id: str) -> list[str]:
        """Return the ids of the policies of a group, sorted.

        Raises:
            ProcessError: NotFound, when no policy names the group.
        """
        entries = self._registry.find({".kind": _KIND})
        found = sorted(entry.id for entry in entries if id in self._registry.decode(entry).groups)
        if not found:
            raise ProcessError(f"no policy is in the group {id}", kind=NOT_FOUND, retryable=False)
        return found

    def identity(self, spec: SecuritySpec | None) -> str | None:
        """Return what a service's process runs under, as the kernel reads it; None for nothing.

        Raises:
            ProcessError: NotFound, for a group without policies.
        """
        if spec is None:
            return None
        told: dict[str, Any] = {}
        if spec.actor is not None:
            told["id"] = spec.actor.id
            told["meta"] = json.dumps(_plain(spec.actor.meta))
        if spec.policies or spec.groups:
            ids = [*spec.policies, *(id for group in spec.groups for id in self.group(group))]
            told["policies"] = list(dict.fromkeys(ids))
        return json.dumps(told)

    def decide(self, policies: list[str], query: Query) -> Verdict:
        """Return what a scope of policies says; one that is gone says nothing.

        Raises:
            ProcessError: Invalid, for a condition with a pattern that is none.
        """
        import re

        found = []
        for id in policies:
            try:
                found.append(self.policy(id))
            except ProcessError:
                continue
        try:
            return combine(found, query)
        except re.error as error:
            raise ProcessError(f"a policy has a pattern that is none: {error}", kind=INVALID) from error

    def _answer(self, text: bytes) -> bytes:
        asked = json.loads(_text(text))
        query = Query(
            asked["actor"],
            asked["action"],
            asked["resource"],
            json.loads(asked.get("actor_meta") or "{}") or {},
            asked.get("meta") or {},
        )
        return self.decide(list(asked["policies"]), query).encode()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
