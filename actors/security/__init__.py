"""Permissions: policies, and what they say about an actor, an action and a resource."""

from actors.security.guard import Guard
from actors.security.policy import Policy, Query, Verdict, combine

__all__ = ["Guard", "Policy", "Query", "Verdict", "combine"]
