"""The module `security`, and what `process` and `funcs` refuse."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors import ProcessEnded, ProcessError, Runtime

INDEX = """\
namespace: app
entries:
  - { name: here, kind: process.host, host: { workers: 1 }, lifecycle: { auto_start: true } }
  - { name: there, kind: process.host, host: { workers: 1 }, lifecycle: { auto_start: true } }
  - { name: main, kind: process.lua, source: file://main.lua, modules: [security, funcs] }
  - { name: child, kind: process.lua, source: file://child.lua, modules: [security, funcs] }
  - { name: fn, kind: function.lua, source: file://child.lua, method: main, modules: [security, funcs] }
  - { name: spawns, kind: security.policy, groups: [staff],
      policy: { actions: [process.spawn, process.exec], resources: "app:child", effect: allow } }
  - { name: calls, kind: security.policy, groups: [staff],
      policy: { actions: funcs.call, resources: "app:*", effect: allow } }
  - { name: all, kind: security.policy, policy: { actions: "*", resources: "*", effect: allow } }
  - { name: no_clerks, kind: security.policy, policy: { actions: "*", resources: "*", effect: deny,
      conditions: [{ field: actor.meta.role, operator: eq, value: clerk }] } }
  - { name: broken, kind: security.policy, policy: { actions: "*", resources: "*", effect: deny,
      conditions: [{ field: action, operator: matches, value: "(" }] } }
"""
SERVICE = """\
  - name: service
    kind: process.service
    process: child
    host: here
    lifecycle:
      auto_start: true
      security: { actor: { id: robot, meta: { made: 1 } }, policies: [spawns], groups: [staff] }
"""
WHO = """\
local function who()
  local actor, scope = security.actor(), security.scope()
  local ids = {}
  for i, policy in ipairs(scope and scope:policies() or {}) do ids[i] = policy:id() end
  return {actor and actor:id() or "nobody", actor and actor:meta() or {}, ids}
end
return {main = function(what, to)
  if what == "spawn" then return (process.exec("app:child", to or "app:here")) end
  if what == "call" then return (funcs.call("app:fn")) end
  return who()
end}
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """Run a main function in an app, and return its result."""

    def run(body: str, **options: Any) -> Any:
        (tmp_path / "_index.yaml").write_text(INDEX)
        (tmp_path / "main.lua").write_text(f"return function(...) {body} end")
        (tmp_path / "child.lua").write_text(WHO)
        with Runtime.load(tmp_path, **options) as rt:
            return rt.exec("app:main", "app:here", timeout=30)

    return run


STAFF = """
  local me = security.new_actor("ana", {role = "boss"})
  local scope = assert(security.named_scope("app:staff"))
  local spawner = process.with_context({}):with_actor(me):with_scope(scope)
  local funcs_as = funcs.new():with_actor(me):with_scope(scope)
"""
ANA = ["ana", {"role": "boss"}, ["app:calls", "app:spawns"]]


def test_nobody_has_an_actor_or_a_scope_unless_somebody_gives_one(run: Callable[..., Any]) -> None:
    assert run("return {security.actor() == nil, security.scope() == nil, security.can('process.spawn', 'x')}") == [
        True,
        True,
        True,
    ]


@pytest.mark.parametrize("host", ["app:here", "app:there"])
@pytest.mark.parametrize("what", ["", "spawn", "call"])
def test_children_and_callees_inherit_the_identity_wherever_they_run(
    run: Callable[..., Any], host: str, what: str
) -> None:
    assert run(f"{STAFF} return (assert(spawner:exec('app:child', '{host}', '{what}', 'app:there')))") == ANA


def test_a_function_that_is_called_with_an_identity_has_it(run: Callable[..., Any]) -> None:
    assert run(f"{STAFF} return (assert(funcs_as:call('app:fn')))") == ANA
    assert run(f"{STAFF} return (assert(funcs_as:call('app:fn', 'spawn', 'app:there')))") == ANA


# what a process with the actor ana and the scope app:staff tries; the plain functions return their refusal
@pytest.mark.parametrize(
    ("call", "action", "resource"),
    [
        ("process.spawn('app:main', 'app:here')", "process.spawn", "app:main"),
        ("process.spawn_monitored('app:main', 'app:here')", "process.spawn", "app:main"),
        ("process.exec('app:main', 'app:here')", "process.exec", "app:main"),
        ("process.send(first, 'x')", "process.send", None),
        ("process.cancel(first)", "process.cancel", None),
        ("process.terminate(first)", "process.terminate", None),
        ("process.monitor(first)", "process.monitor", None),
        ("process.link(first)", "process.link", None),
        ("funcs.call('other:fn')", "funcs.call", "other:fn"),
        ("funcs.async('other:fn')", "funcs.call", "other:fn"),
        (
            "pcall_of(function() process.with_context({}):spawn('app:main', 'app:here') end)",
            "process.spawn",
            "app:main",
        ),
        (
            "pcall_of(function() process.with_context({}):with_actor(security.new_actor('b')) end)",
            "process.security",
            "actor",
        ),
        (
            "pcall_of(function() process.with_context({}):with_scope(security.new_scope()) end)",
            "process.security",
            "scope",
        ),
        ("pcall_of(function() funcs.new():with_scope(security.new_scope()) end)", "funcs.security", "scope"),
    ],
)
def test_what_no_policy_allows_is_refused(tmp_path: Path, call: str, action: str, resource: str | None) -> None:
    body = f"{STAFF} return {{assert(spawner:exec('app:child', 'app:here', process.pid())), process.pid()}}"
    child = (
        "local function pcall_of(f) local ok, err = pcall(f) return nil, err end\n"
        f"return {{main = function(first) local value, err = {call}\n"
        "  return {value == nil, err:kind(), err:retryable(), err:details(), err:message()} end}"
    )
    (tmp_path / "_index.yaml").write_text(INDEX)
    (tmp_path / "main.lua").write_text(f"return function(...) {body} end")
    (tmp_path / "child.lua").write_text(child)
    with Runtime.load(tmp_path) as rt:
        (refused, kind, retryable, details, message), pid = rt.exec("app:main", "app:here", timeout=30)
    assert (refused, kind, retryable, details["action"]) == (True, "PermissionDenied", False, action)
    assert details["resource"] == (resource or pid)
    assert message == f"not allowed: {action} on {resource or pid}: no policy allows it to ana"


def test_a_deny_wins_and_says_so(run: Callable[..., Any]) -> None:
    told = run("""
      local clerk = security.new_actor("bob", {role = "clerk"})
      local scope = security.new_scope({assert(security.policy("app:all")), assert(security.policy("app:no_clerks"))})
      local boss = security.new_actor("ana", {role = "boss"})
      return {scope:evaluate(clerk, "x", "y"), scope:evaluate(boss, "x", "y"),
        scope:without("app:all"):evaluate(boss, "x", "y"), scope:contains("app:all"),
        scope:without(security.policy("app:all")):contains("app:all"),
        security.policy("app:no_clerks"):evaluate(clerk, "x", "y", {a = 1}),
        #scope:with(security.policy("app:all")):policies(), #scope:with(security.policy("app:calls")):policies()}
    """)
    assert told == ["deny", "allow", "undefined", True, False, "deny", 2, 3]


def test_a_policy_that_cannot_be_evaluated_refuses(run: Callable[..., Any]) -> None:
    told = run("""
      local scope = security.new_scope({security.policy("app:all"), security.policy("app:broken")})
      local verdict, err = scope:evaluate(security.new_actor("a"), "x", "y")
      local pid = process.with_context({}):with_actor(security.new_actor("a")):with_scope(scope)
      local value = pid:exec("app:child", "app:here", "spawn")
      return {verdict == nil, err:kind(), value == nil}
    """)
    assert told == [True, "Invalid", True]


def test_unknown_policies_groups_and_stores_are_told(run: Callable[..., Any]) -> None:
    assert run("""
      local kinds = {}
      for _, f in ipairs({"policy", "named_scope", "token_store"}) do
        local value, err = security[f]("app:gone")
        kinds[#kinds + 1] = tostring(value) .. err:kind()
      end
      return kinds
    """) == ["nilNotFound", "nilNotFound", "nilUnavailable"]


def test_an_actor_cannot_be_changed_by_whoever_holds_it(run: Callable[..., Any]) -> None:
    assert run("""
      local meta = {role = "clerk"}
      local actor = security.new_actor("bob", meta)
      meta.role = "boss"
      actor:meta().role = "boss"
      local found = {}
      for k in next, actor do found[#found + 1] = k end
      return {actor:id(), actor:meta().role, #found, pcall(rawset, actor, 1, 2) == false, type(actor)}
    """) == ["bob", "clerk", 0, True, "userdata"]


@pytest.mark.parametrize(
    "call",
    [
        "new_actor()",
        "new_scope({1})",
        "can('a')",
        "policy(1)",
        "new_actor('a', 1)",
        "new_scope(security.new_actor('a'))",
    ],
)
def test_wrong_arguments_raise(run: Callable[..., Any], call: str) -> None:
    with pytest.raises(ProcessError, match="bad argument #"):
        run(f"security.{call}")


def test_strict_mode_refuses_whoever_has_no_identity(run: Callable[..., Any]) -> None:
    told = run(
        "local pid, err = process.spawn('app:child', 'app:here') return {err:kind(), err:message()}",
        strict_security=True,
    )
    assert told == [
        "PermissionDenied",
        "not allowed: process.spawn on app:child: strict mode asks for an actor and a scope",
    ]


def test_a_service_runs_under_its_own_identity(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(INDEX + SERVICE)
    (tmp_path / "main.lua").write_text("return function() end")
    (tmp_path / "child.lua").write_text(f"""{WHO.rpartition("return {main")[0]}
      return {{main = function()
        local ok, err = process.send(process.pid(), "hello")
        return nil, errors.new({{message = "told", retryable = false, details = {{who = who(), kind = err:kind()}}}})
      end}}
    """)
    rt = Runtime.load(tmp_path)
    ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
    rt.watch(lambda event: ended.put(event) if isinstance(event, ProcessEnded) else None)
    with rt:
        failure = ended.get(timeout=30).failure
    assert failure.details == {
        "who": ["robot", {"made": 1}, ["app:spawns", "app:calls"]],
        "kind": "PermissionDenied",
    }


def test_a_service_of_a_group_that_nobody_is_in_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(INDEX + SERVICE.replace("groups: [staff] }", "groups: [ghosts] }"))
    (tmp_path / "main.lua").write_text("return function() end")
    (tmp_path / "child.lua").write_text("return {main = function() end}")
    with Runtime.load(tmp_path) as rt:
        [service] = [state for state in rt.services() if state.id == "app:service"]
    assert service.details is not None
    assert "no policy is in the group app:ghosts" in service.details
