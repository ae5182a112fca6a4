"""The decisions of a tree in the corners that an actor rarely gets to."""

from __future__ import annotations

import pytest

from actors.errors import Failure
from actors.supervision import ChildPhase, Restart, Strategy
from actors.supervision.strategy import (
    ForgetChild,
    KillChild,
    Mode,
    Restarting,
    StartChild,
    StopChild,
    Tree,
    TreeAction,
    TreeEnded,
    TreeStarted,
)

BOOM = Failure("boom")
PERMANENT = Restart.PERMANENT


def _tree(strategy: Strategy = Strategy.ONE_FOR_ALL, intensity: int = 9, delay: float = 0.0) -> Tree:
    """Make a tree of a, b and c that all run."""
    tree = Tree(strategy, intensity, 10.0, [(id, PERMANENT) for id in "abc"], lambda id, failures: delay * failures)
    tree.start(0.0)
    for id in "abc":
        tree.child_started(id, 0.0)
    assert tree.mode is Mode.UP
    return tree


def _words(actions: list[TreeAction]) -> list[str]:
    signs: dict[type, str] = {StartChild: "+", StopChild: "-", KillChild: "!", ForgetChild: "~", Restarting: "?"}
    return [signs[type(action)] + getattr(action, "id", "") for action in actions if type(action) in signs]


def test_the_first_start_says_when_it_is_through() -> None:
    tree = Tree(children=[("a", PERMANENT)])
    assert tree.start(0.0) == [StartChild("a")]
    assert tree.child_started("a", 0.0) == [TreeStarted()]


def test_a_group_restart_stops_and_starts_one_by_one() -> None:
    tree = _tree()
    assert _words(tree.child_down("b", BOOM, 1.0)) == ["?b", "-c"]
    assert _words(tree.child_down("c", None, 1.0)) == ["-a"]
    assert _words(tree.child_down("a", None, 1.0)) == ["+a"]
    assert _words(tree.child_started("a", 1.0)) == ["+b"]
    assert _words(tree.child_started("b", 1.0)) == ["+c"]
    assert tree.child_started("c", 1.0) == []


def test_a_group_restart_in_which_a_start_fails_begins_again_with_the_stops() -> None:
    tree = _tree()
    tree.child_down("c", BOOM, 1.0)
    tree.child_down("b", None, 1.0)
    tree.child_down("a", None, 1.0)
    assert _words(tree.child_started("a", 1.0)) == ["+b"]
    assert _words(tree.child_down("b", BOOM, 1.0)) == ["?b", "-a"]
    assert _words(tree.child_down("a", None, 1.0)) == ["+a"]


def test_a_delay_runs_while_the_others_are_stopped() -> None:
    tree = _tree(delay=2.0)
    assert tree.child_down("c", BOOM, 1.0) == [Restarting("c", 2.0), StopChild("b")]
    assert tree.alarm is None
    tree.child_down("b", None, 1.5)
    tree.child_down("a", None, 1.5)
    assert tree.alarm == 3.0
    assert tree.tick(2.9) == []
    assert _words(tree.tick(3.0)) == ["+a"]
    assert tree.alarm is None


def test_a_stop_that_outlasts_the_delay_is_followed_by_the_start_at_once() -> None:
    tree = _tree(delay=2.0)
    tree.child_down("c", BOOM, 1.0)
    tree.child_down("b", None, 1.0)
    assert _words(tree.child_down("a", None, 9.0)) == ["+a"]


def test_several_children_wait_for_their_restarts_each_for_its_own() -> None:
    tree = _tree(Strategy.ONE_FOR_ONE, delay=2.0)
    tree.child_down("a", BOOM, 1.0)
    tree.child_down("b", BOOM, 2.0)
    assert tree.alarm == 3.0
    assert _words(tree.tick(3.0)) == ["+a"]
    assert tree.alarm == 4.0
    assert _words(tree.tick(4.0)) == ["+b"]
    assert tree.alarm is None


def test_a_start_by_hand_ends_the_wait_for_a_restart() -> None:
    tree = _tree(Strategy.ONE_FOR_ONE, delay=2.0)
    tree.child_down("a", BOOM, 1.0)
    assert _words(tree.start_child("a", 1.5)) == ["+a"]
    assert tree.alarm is None
    assert tree.tick(3.0) == []


def test_a_stop_by_hand_ends_the_wait_for_a_restart() -> None:
    tree = _tree(Strategy.ONE_FOR_ONE, delay=2.0)
    tree.child_down("a", BOOM, 1.0)
    assert tree.stop_child("a", 1.5) == []
    assert tree.alarm is None
    assert tree.phase("a") is ChildPhase.DOWN


def test_a_child_stopped_by_hand_stays_down_until_the_group_is_restarted() -> None:
    tree = _tree()
    assert _words(tree.stop_child("a", 1.0)) == ["-a"]
    assert tree.child_down("a", BOOM, 1.0) == []
    tree.child_down("c", BOOM, 2.0)
    assert _words(tree.child_down("b", None, 2.0)) == ["+a"]


def test_a_child_that_a_restart_would_start_later_is_left_out_when_it_is_stopped_by_hand() -> None:
    tree = _tree()
    tree.child_down("a", BOOM, 1.0)
    tree.child_down("c", None, 1.0)
    assert _words(tree.child_down("b", None, 1.0)) == ["+a"]
    tree.stop_child("b", 1.0)
    assert _words(tree.child_started("a", 1.0)) == ["+c"]


def test_a_child_that_is_stopped_by_hand_while_the_restart_starts_it_does_not_hold_up_the_rest() -> None:
    tree = _tree()
    tree.child_down("a", BOOM, 1.0)
    tree.child_down("c", None, 1.0)
    tree.child_down("b", None, 1.0)
    assert _words(tree.stop_child("a", 1.0)) == ["-a", "+b"]


def test_a_start_by_hand_of_a_child_that_the_restart_will_start_changes_nothing() -> None:
    tree = _tree()
    tree.child_down("a", BOOM, 1.0)
    assert tree.start_child("b", 1.0) == []
    tree.child_down("c", None, 1.0)
    tree.child_down("b", None, 1.0)
    assert tree.start_child("c", 1.0) == []
    assert _words(tree.child_started("a", 1.0)) == ["+b"]


def test_a_child_added_during_a_restart_that_does_not_start_leaves_the_restart_alone() -> None:
    tree = _tree()
    tree.child_down("a", BOOM, 1.0)
    assert _words(tree.add("d", PERMANENT, 1.0)) == ["+d"]
    assert tree.child_down("d", BOOM, 1.0) == []
    tree.child_down("c", None, 1.0)
    assert _words(tree.child_down("b", None, 1.0)) == ["+a"]


def test_a_child_added_during_the_first_start_waits_its_turn() -> None:
    tree = Tree(children=[("a", PERMANENT)])
    tree.start(0.0)
    assert tree.add("b", PERMANENT, 0.0) == []
    assert tree.child_started("a", 0.0) == [StartChild("b")]
    assert tree.child_started("b", 0.0) == [TreeStarted()]


def test_a_child_removed_during_a_restart_is_forgotten_and_not_started() -> None:
    tree = _tree()
    tree.child_down("a", BOOM, 1.0)
    assert _words(tree.remove("b", 1.0)) == ["-b"]
    assert _words(tree.child_down("b", None, 1.0)) == ["~b"]
    assert _words(tree.child_down("c", None, 1.0)) == ["+a"]
    assert _words(tree.child_started("a", 1.0)) == ["+c"]


def test_a_later_child_that_failed_first_is_not_restarted_twice_by_rest_for_one() -> None:
    tree = _tree(Strategy.REST_FOR_ONE)
    assert _words(tree.child_down("c", BOOM, 1.0)) == ["?c", "+c"]
    assert tree.child_down("a", BOOM, 1.0) == []
    assert _words(tree.child_down("c", BOOM, 1.0)) == ["?a", "-b"]
    assert _words(tree.child_down("b", None, 1.0)) == ["+a"]
    assert _words(tree.child_started("a", 1.0)) == ["+b"]
    assert _words(tree.child_started("b", 1.0)) == ["+c"]
    assert tree.child_started("c", 1.0) == []
    assert [phase for _, _, phase in tree.children()] == [ChildPhase.RUNNING] * 3


def test_a_kill_during_a_stop_reaches_every_child_that_is_left() -> None:
    tree = _tree()
    assert _words(tree.stop(1.0)) == ["-c"]
    assert _words(tree.kill(1.0)) == ["!c", "!b", "!a"]
    assert tree.child_down("a", None, 1.0) == []
    assert tree.child_down("c", None, 1.0) == []
    assert tree.child_down("b", None, 1.0) == [TreeEnded(None, True)]
    assert tree.stop(1.0) == []
    assert tree.kill(1.0) == []
    assert tree.add("d", PERMANENT, 1.0) == []


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_failure_that_is_one_too_many_during_a_restart_stops_all(strategy: Strategy) -> None:
    tree = _tree(strategy, intensity=1)
    tree.child_down("c", BOOM, 1.0)
    for id in "ba":
        if tree.phase(id) is ChildPhase.STOPPING:
            tree.child_down(id, None, 1.0)
    starting = next(id for id in "abc" if tree.phase(id) is ChildPhase.STARTING)
    actions = tree.child_down(starting, BOOM, 1.0)
    while not isinstance(actions[-1], TreeEnded):
        stopping = next(id for id in "abc" if tree.phase(id) is ChildPhase.STOPPING)
        actions = tree.child_down(stopping, None, 1.0)
    assert actions[-1].failure is not None
    assert "more than 1 restart within 10s" in actions[-1].failure.message
    assert tree.alarm is None


def test_events_of_strangers_change_nothing() -> None:
    tree = _tree()
    assert tree.child_started("x", 1.0) == []
    assert tree.child_down("x", BOOM, 1.0) == []
    assert tree.stop_child("x", 1.0) == []
    assert tree.remove("x", 1.0) == []
    assert tree.phase("x") is None
