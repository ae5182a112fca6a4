"""Supervision trees: the cases of OTP's own list for `supervisor`, against the actor."""

from __future__ import annotations

import gc
import logging
from typing import Any

import pytest

from actors.clock import VirtualClock
from actors.errors import ALREADY_EXISTS, CANCELED, LIMIT_EXCEEDED, NOT_FOUND, UNAVAILABLE, Failure
from actors.supervision import (
    ChildCount,
    ChildPhase,
    ChildSpec,
    Exited,
    Restart,
    RestartPolicy,
    Started,
    StartFailed,
    Strategy,
    TreeService,
    TreeSpec,
    TreeSupervisor,
)

from .fakes import BOOM, FINAL, Fake, Family, running_root, running_tree

PERMANENT, TRANSIENT, TEMPORARY = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY
NORMAL, SHUTDOWN, ABNORMAL = None, Failure("canceled", CANCELED), BOOM


def _children(family: Family, restart: Restart = PERMANENT, **options: Any) -> list[ChildSpec]:
    return [ChildSpec(fake.spec(), restart, **options) for fake in family.values()]


def test_children_start_one_after_the_other_in_their_order(clock: VirtualClock) -> None:
    family = Family("abc")
    family["a"].always = family["b"].always = None
    with running_tree(clock, *_children(family)) as tree:
        assert family.since() == ["+a"]
        family["a"].lives[0].report(Started())
        clock.settle()
        assert family.since() == ["+b"]
        assert tree.reports == []
        family["b"].lives[0].report(Started())
        clock.settle()
        assert family.since() == ["+c"]
        assert tree.reports == [Started()]


def test_a_tree_without_children_starts(clock: VirtualClock) -> None:
    with running_tree(clock) as tree:
        assert tree.reports == [Started()]


@pytest.mark.parametrize("restart", list(Restart))
def test_a_child_that_fails_to_start_stops_the_others_in_reverse_and_fails_the_tree(
    clock: VirtualClock, restart: Restart
) -> None:
    family = Family("abcd")
    family["c"].fails(1, FINAL)
    with running_tree(clock, *_children(family, restart)) as tree:
        assert family.since() == ["+a", "+b", "+c", "-b", "-a"]
        (report,) = tree.reports
        assert isinstance(report, StartFailed)
        assert "app:c" in report.failure.message
        assert report.failure.retryable is False
        assert tree.actor.join(10)


def test_a_child_that_raises_at_its_start_fails_the_tree(clock: VirtualClock) -> None:
    family = Family("a")
    family["a"].on_start = [RuntimeError("bad driver")]
    with running_tree(clock, *_children(family)) as tree:
        assert isinstance(tree.ended, StartFailed)
        assert "RuntimeError: bad driver" in tree.ended.failure.message


def test_a_child_that_does_not_answer_in_time_is_killed_and_fails_the_tree(clock: VirtualClock) -> None:
    family = Family("ab")
    family["b"].always = None
    with running_tree(clock, *_children(family)) as tree:
        clock.advance(9.9)
        assert tree.ended is None
        clock.advance(0.1)
        assert family.since() == ["+a", "+b", "!b", "-a"]
        assert isinstance(tree.ended, StartFailed)


def test_a_child_that_ends_while_the_next_one_starts_is_restarted_when_all_run(clock: VirtualClock) -> None:
    family = Family("ab")
    family["b"].always = None
    with running_tree(clock, *_children(family)) as tree:
        family["a"].crash()
        clock.settle()
        assert family.since() == ["+a", "+b"]
        family["b"].lives[0].report(Started())
        clock.settle()
        assert family.since() == ["+a"]
        assert tree.reports == [Started()]


@pytest.mark.parametrize(
    ("restart", "end", "restarted"),
    [
        (PERMANENT, NORMAL, True),
        (PERMANENT, SHUTDOWN, True),
        (PERMANENT, ABNORMAL, True),
        (PERMANENT, FINAL, True),
        (TRANSIENT, NORMAL, False),
        (TRANSIENT, SHUTDOWN, False),
        (TRANSIENT, ABNORMAL, True),
        (TRANSIENT, FINAL, True),
        (TEMPORARY, NORMAL, False),
        (TEMPORARY, SHUTDOWN, False),
        (TEMPORARY, ABNORMAL, False),
        (TEMPORARY, FINAL, False),
    ],
)
@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_child_is_restarted_after_the_ends_of_its_type_only(
    clock: VirtualClock, restart: Restart, end: Failure | None, restarted: bool, strategy: Strategy
) -> None:
    family = Family("a")
    with running_tree(clock, *_children(family, restart), strategy=strategy) as tree:
        family["a"].crash(end)
        clock.settle()
        assert family["a"].starts == (2 if restarted else 1)
        known = [child.id for child in tree.ask(tree.actor.list_children)]
        assert known == ([] if restart is TEMPORARY else ["app:a"])
        assert tree.ended is None


@pytest.mark.parametrize(
    ("strategy", "done"),
    [
        (Strategy.ONE_FOR_ONE, ["+b"]),
        (Strategy.ONE_FOR_ALL, ["-c", "-a", "+a", "+b", "+c"]),
        (Strategy.REST_FOR_ONE, ["-c", "+b", "+c"]),
    ],
)
def test_each_strategy_restarts_its_children(clock: VirtualClock, strategy: Strategy, done: list[str]) -> None:
    family = Family("abc")
    with running_tree(clock, *_children(family), strategy=strategy) as tree:
        family.since()
        family["b"].crash()
        clock.settle()
        assert family.since() == done
        assert [fake.alive for fake in family.values()] == [1, 1, 1]
        assert tree.ended is None


@pytest.mark.parametrize("strategy", list(Strategy))
def test_each_strategy_escalates_after_too_many_restarts(
    clock: VirtualClock, strategy: Strategy, caplog: pytest.LogCaptureFixture
) -> None:
    family = Family("abc")
    with running_tree(clock, *_children(family), strategy=strategy, intensity=2) as tree:
        for _ in range(3):
            assert tree.ended is None
            family.since()
            family["b"].crash()
            clock.settle()
        assert family.since() == ["-c", "-a"]
        assert isinstance(tree.ended, Exited)
        assert tree.ended.failure is not None
        assert tree.ended.failure.kind == LIMIT_EXCEEDED
        assert tree.ended.failure.retryable is None
        assert "more than 2 restarts within 5s" in tree.ended.failure.message
        assert tree.actor.join(10)
        assert tree.actor.statistics().escalations == 1
        assert tree.actor.statistics().restarts == 2
    assert sum("gives up" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize(
    ("strategy", "done"),
    [
        (Strategy.ONE_FOR_ONE, ["+c", "+b"]),
        (Strategy.ONE_FOR_ALL, ["-b", "-a", "+a", "+b", "+c", "-c", "-a", "+a", "+b", "+c"]),
        (Strategy.REST_FOR_ONE, ["+c", "-c", "+b", "+c"]),
    ],
)
def test_another_child_that_fails_during_a_restart_is_restarted_by_the_strategy(
    clock: VirtualClock, strategy: Strategy, done: list[str]
) -> None:
    family = Family("abc")
    with running_tree(clock, *_children(family), strategy=strategy, intensity=5) as tree:
        family.since()
        family["c"].on_start = [None]
        family["c"].crash()
        clock.settle()
        family["b"].crash()
        clock.settle()
        family["c"].lives[-1].report(Started())
        clock.settle()
        assert family.since() == done
        assert [fake.alive for fake in family.values()] == [1, 1, 1]
        assert tree.ended is None


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
def test_a_child_that_ends_by_itself_before_it_is_its_turn_to_be_stopped_counts_once(
    clock: VirtualClock, strategy: Strategy
) -> None:
    family = Family("abc")
    family["c"].obeys_stop = False
    with running_tree(clock, *_children(family), strategy=strategy, intensity=1) as tree:
        family.since()
        family["a"].crash()
        clock.settle()
        assert family.since() == ["-c"]
        family["b"].crash()
        clock.settle()
        family["c"].lives[-1].report(Exited(BOOM))
        clock.settle()
        assert family.since() == ["+a", "+b", "+c"]
        assert tree.ended is None


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
def test_a_group_restart_starts_all_but_temporary_children(clock: VirtualClock, strategy: Strategy) -> None:
    family = Family("abcd")
    types = dict(zip("abcd", [PERMANENT, TEMPORARY, TRANSIENT, PERMANENT], strict=True))
    children = [ChildSpec(family[name].spec(), types[name]) for name in "abcd"]
    with running_tree(clock, *children, strategy=strategy) as tree:
        family["c"].crash(NORMAL)
        clock.settle()
        family.since()
        family["a"].crash()
        clock.settle()
        assert family.since() == ["-d", "-b", "+a", "+c", "+d"]
        assert [child.id for child in tree.ask(tree.actor.list_children)] == ["app:a", "app:c", "app:d"]


def test_two_children_that_fail_at_once_are_each_restarted(clock: VirtualClock) -> None:
    family = Family("abc")
    with running_tree(clock, *_children(family), intensity=2) as tree:
        family["a"].crash()
        family["c"].crash()
        clock.settle()
        assert [fake.starts for fake in family.values()] == [2, 1, 2]
        assert tree.ended is None


@pytest.mark.parametrize("strategy", list(Strategy))
def test_just_under_the_limit_goes_on_for_ever(clock: VirtualClock, strategy: Strategy) -> None:
    family = Family("ab")
    with running_tree(clock, *_children(family), strategy=strategy, intensity=2, period=10.0) as tree:
        for _ in range(40):
            family["a"].crash()
            clock.advance(5.001)
        assert tree.ended is None
        assert family["a"].starts == 41


def test_one_restart_too_many_within_the_period_ends_the_tree(clock: VirtualClock) -> None:
    family = Family("a")
    with running_tree(clock, *_children(family), intensity=2, period=10.0) as tree:
        for _ in range(2):
            family["a"].crash()
            clock.advance(5.0)
        assert tree.ended is None
        family["a"].crash()
        clock.settle()
        assert isinstance(tree.ended, Exited)


def test_an_intensity_of_zero_allows_no_restart(clock: VirtualClock) -> None:
    family = Family("a")
    with running_tree(clock, *_children(family), intensity=0) as tree:
        family["a"].crash()
        clock.settle()
        assert isinstance(tree.ended, Exited)
        assert family["a"].starts == 1


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_restart_that_fails_counts_and_is_tried_again(clock: VirtualClock, strategy: Strategy) -> None:
    family = Family("abc")
    with running_tree(clock, *_children(family), strategy=strategy, intensity=4) as tree:
        family["b"].fails(3, FINAL)
        family["b"].crash()
        clock.settle()
        assert tree.ended is None
        assert [fake.alive for fake in family.values()] == [1, 1, 1]
        assert tree.actor.statistics().restarts == 4
        family["b"].fails(1)
        family["b"].crash()
        clock.settle()
        assert isinstance(tree.ended, Exited)


def test_a_child_that_keeps_failing_to_start_does_not_keep_the_supervisor_from_answering(clock: VirtualClock) -> None:
    family = Family("ab")
    family["a"].on_start = [Started(), *[StartFailed(BOOM)] * 100_000]
    with running_tree(clock, *_children(family), intensity=1_000_000) as tree:
        family["a"].crash()
        for _ in range(20):
            assert tree.ask(tree.actor.count_children) == ChildCount(2, 2)
        assert tree.ask(tree.actor.stop_child, "app:a") is None
        assert 1 < family["a"].starts < 100_000
        assert tree.ended is None


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_delays_of_a_child_hold_when_it_has_some(clock: VirtualClock, strategy: Strategy) -> None:
    family = Family("ab")
    delays = RestartPolicy(initial_delay=2.0, jitter=0.0)
    with running_tree(clock, *_children(family, delays=delays), strategy=strategy, intensity=9, period=100.0) as tree:
        for number, delay in enumerate([2.0, 4.0, 8.0], 1):
            family["a"].crash()
            clock.advance(delay - 0.001)
            assert family["a"].starts == number
            clock.advance(0.001)
            assert family["a"].starts == number + 1
        clock.advance(100.0)
        family["a"].crash()
        clock.advance(2.0)
        assert family["a"].starts == 5
        assert tree.ended is None


def test_an_update_tells_in_how_many_seconds_a_child_is_restarted_if_it_is(clock: VirtualClock) -> None:
    family = Family("abc")
    children = [
        ChildSpec(family["a"].spec(), delays=RestartPolicy(initial_delay=3.0, jitter=0.0)),
        ChildSpec(family["b"].spec()),
        ChildSpec(family["c"].spec(), TRANSIENT),
    ]
    with running_tree(clock, *children, intensity=2) as tree:
        tree.updates.clear()
        family["a"].crash()
        clock.settle()
        family["b"].crash(NORMAL)
        clock.settle()
        family["c"].crash(NORMAL)
        clock.settle()
        ends = [update for update in tree.updates if update.state.status in ("failed", "exited")]
        assert [update.retry_in for update in ends] == [3.0, 0.0, None]


def test_a_stop_drops_a_restart_that_waits(clock: VirtualClock) -> None:
    family = Family("ab")
    with running_tree(clock, *_children(family, delays=RestartPolicy())) as tree:
        family["a"].crash()
        clock.settle()
        tree.actor.shutdown()
        clock.advance(100.0)
        assert tree.ended == Exited(None)
        assert family["a"].starts == 1


@pytest.mark.parametrize("strategy", list(Strategy))
def test_children_stop_one_after_the_other_in_reverse_order(clock: VirtualClock, strategy: Strategy) -> None:
    family = Family("abc")
    family["b"].obeys_stop = False
    with running_tree(clock, *_children(family), strategy=strategy) as tree:
        family.since()
        tree.actor.shutdown()
        clock.settle()
        assert family.since() == ["-c", "-b"]
        family["b"].lives[0].report(Exited(BOOM))
        clock.settle()
        assert family.since() == ["-a"]
        assert tree.reports == [Started(), Exited(None)]
        assert tree.actor.join(10)


def test_a_child_that_ignores_the_stop_is_killed_after_its_time_out(clock: VirtualClock) -> None:
    family = Family("ab")
    family["b"].obeys_stop = False
    with running_tree(clock, *_children(family)) as tree:
        family.since()
        tree.actor.shutdown()
        clock.advance(9.9)
        assert family.since() == ["-b"]
        clock.advance(0.1)
        assert family.since() == ["!b", "-a"]
        state = next(update.state for update in reversed(tree.updates) if update.state.id == "app:b")
        assert (state.status, state.details) == ("stopped", "killed after stop timeout")
        assert tree.ended == Exited(None)


def test_a_child_that_nothing_ends_is_left_behind_and_the_others_are_stopped(clock: VirtualClock) -> None:
    family = Family("ab")
    family["b"].obeys_stop = family["b"].obeys_kill = False
    with running_tree(clock, *_children(family)) as tree:
        tree.actor.shutdown()
        clock.advance(11.0)
        assert tree.ended == Exited(None)
        assert family["a"].alive == 0
        assert tree.actor.statistics().abandoned == 1


def test_a_kill_ends_all_children_at_once(clock: VirtualClock) -> None:
    family = Family("abc")
    for fake in family.values():
        fake.obeys_stop = False
    with running_tree(clock, *_children(family)) as tree:
        family.since()
        tree.actor.kill()
        clock.settle()
        assert family.since() == ["!c", "!b", "!a"]
        assert tree.ended == Exited(None)


def test_a_stop_during_the_first_start_calls_it_off(clock: VirtualClock) -> None:
    family = Family("abc")
    family["b"].always = None
    with running_tree(clock, *_children(family)) as tree:
        tree.actor.shutdown()
        clock.settle()
        assert family.since() == ["+a", "+b", "-b", "-a"]
        assert tree.reports == [Exited(None)]


def test_an_end_during_the_stop_is_no_restart(clock: VirtualClock) -> None:
    family = Family("ab")
    family["b"].obeys_stop = False
    with running_tree(clock, *_children(family)) as tree:
        tree.actor.shutdown()
        clock.settle()
        family["a"].crash()
        family["b"].crash()
        clock.settle()
        assert [fake.starts for fake in family.values()] == [1, 1]
        assert tree.ended == Exited(None)


def test_children_are_added_stopped_started_and_removed_at_run_time(clock: VirtualClock) -> None:
    family, more = Family("a"), Fake("app:b")
    with running_tree(clock, *_children(family)) as tree:
        ask, actor = tree.ask, tree.actor
        child = ChildSpec(more.spec())
        assert ask(actor.start_child, child) is None
        assert [(info.id, info.phase) for info in ask(actor.list_children)] == [
            ("app:a", ChildPhase.RUNNING),
            ("app:b", ChildPhase.RUNNING),
        ]
        assert ask(actor.start_child, child).kind == ALREADY_EXISTS
        assert ask(actor.start_child, "app:b") is None
        assert ask(actor.stop_child, "app:b") is None
        assert more.alive == 0
        assert ask(actor.count_children) == ChildCount(2, 1)
        assert ask(actor.start_child, "app:b") is None
        assert more.starts == 2
        more.crash()
        clock.settle()
        assert more.starts == 3
        assert ask(actor.remove_child, "app:b") is None
        assert more.alive == 0
        assert ask(actor.count_children) == ChildCount(1, 1)
        assert tree.updates[-1].gone
        for call in (actor.start_child, actor.stop_child, actor.remove_child):
            assert ask(call, "app:b").kind == NOT_FOUND


def test_an_added_child_that_does_not_start_stays_down_and_is_no_restart(clock: VirtualClock) -> None:
    with running_tree(clock, intensity=0) as tree:
        bad = Fake("app:bad").fails(1)
        assert tree.ask(tree.actor.start_child, ChildSpec(bad.spec())) == BOOM
        assert tree.ask(tree.actor.count_children) == ChildCount(1, 0)
        assert tree.ask(tree.actor.start_child, "app:bad") is None
        passing = Fake("app:passing").fails(1)
        assert tree.ask(tree.actor.start_child, ChildSpec(passing.spec(), TEMPORARY)) == BOOM
        assert tree.ask(tree.actor.count_children) == ChildCount(1, 1)


def test_a_changed_spec_starts_new_children_and_stops_missing_ones(clock: VirtualClock) -> None:
    family = Family("abc")
    a, b, c = _children(family)
    with running_tree(clock, a, b) as tree:
        family.since()
        tree.actor.change(TreeSpec("app:tree", (ChildSpec(a.service, TEMPORARY), c), intensity=9))
        clock.settle()
        assert family.since() == ["-b", "+c"]
        family["a"].crash()
        clock.settle()
        assert family.since() == []
        assert [child.id for child in tree.ask(tree.actor.list_children)] == ["app:c"]


def test_requests_to_a_tree_that_has_ended_are_refused(clock: VirtualClock) -> None:
    with running_tree(clock) as tree:
        tree.actor.shutdown()
        assert tree.actor.join(10)
        assert tree.ask(tree.actor.start_child, ChildSpec(Fake().spec())).kind == UNAVAILABLE
        assert tree.ask(tree.actor.list_children) == ()
        assert tree.ask(tree.actor.count_children) == ChildCount(0, 0)


def test_whoever_waits_for_a_child_hears_of_the_end_of_the_tree(clock: VirtualClock) -> None:
    with running_tree(clock) as tree:
        slow = Fake("app:slow")
        slow.always = None
        answers: list[Failure | None] = []
        tree.actor.start_child(ChildSpec(slow.spec()), answers.append)
        tree.actor.kill()
        clock.advance(2.0)
        assert [answer.kind for answer in answers if answer] == [CANCELED]


def test_ten_thousand_temporary_children_leave_no_memory_behind(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "actors")  # pytest would keep the records
    with running_tree(clock) as tree:
        tree.actor.sink = lambda update: None

        def round_of(count: int) -> int:
            fakes = [Fake(f"app:t{n}") for n in range(count)]
            for fake in fakes:
                tree.actor.start_child(ChildSpec(fake.spec(), TEMPORARY))
            clock.settle()
            assert tree.ask(tree.actor.count_children) == ChildCount(count, count)
            for fake in fakes:
                fake.crash()
            clock.settle()
            assert tree.ask(tree.actor.count_children) == ChildCount(0, 0)
            del fakes, fake
            gc.collect()
            return len(gc.get_objects())

        round_of(100)
        before = round_of(100)
        after = round_of(10_000)
        assert tree.actor.cells == {}
        assert tree.actor.states() == ()
        assert after - before < 500


def _nested(clock: VirtualClock, family: Family, **inner: Any) -> TreeService:
    return TreeService(TreeSpec("app:inner", tuple(_children(family)), **inner), clock=clock)


def test_too_many_restarts_of_an_inner_tree_are_an_abnormal_end_for_the_outer_one(clock: VirtualClock) -> None:
    family, beside = Family("ab"), Fake("app:beside")
    inner = _nested(clock, family, intensity=1)
    children = [ChildSpec(inner.service(), TRANSIENT), ChildSpec(beside.spec())]
    with running_tree(clock, *children, intensity=1, strategy=Strategy.ONE_FOR_ALL) as tree:
        for _ in range(2):
            family["a"].crash()
            clock.settle()
        assert [fake.starts for fake in family.values()] == [3, 2]
        assert beside.starts == 2
        assert tree.ended is None
        for _ in range(2):
            family["a"].crash()
            clock.settle()
        assert isinstance(tree.ended, Exited)
        assert [fake.alive for fake in [*family.values(), beside]] == [0, 0, 0]


def test_an_inner_tree_that_cannot_start_fails_the_outer_one(clock: VirtualClock) -> None:
    family, before = Family("ab"), Fake("app:before")
    family["b"].fails(1)
    with running_tree(clock, ChildSpec(before.spec()), ChildSpec(_nested(clock, family).service())) as tree:
        assert isinstance(tree.ended, StartFailed)
        assert family.since() == ["+a", "+b", "-a"]
        assert before.alive == 0


def test_a_tree_under_the_root_is_restarted_by_its_own_lifecycle(clock: VirtualClock) -> None:
    family = Family("ab")
    inner = _nested(clock, family, intensity=0)
    with running_root(clock) as root:
        root.start(inner.service(Fake().spec().lifecycle))
        assert root.status("app:inner") == "running"
        family["b"].crash()
        clock.settle()
        assert root.status("app:inner") == "failed"
        assert "supervisor failed: more than 0 restarts" in (root.actor.state("app:inner").details or "")  # type: ignore[union-attr]
        clock.advance(1.0)
        assert root.status("app:inner") == "running"
        assert [fake.alive for fake in family.values()] == [1, 1]


def test_a_tree_depends_on_what_its_children_depend_on_and_stands_for_them(clock: VirtualClock) -> None:
    journal: list[tuple[str, str]] = []
    host, one, two, user = (Fake(f"app:{name}", journal) for name in ("host", "one", "two", "user"))
    tree = TreeService(
        TreeSpec("app:tree", (ChildSpec(one.spec("app:host")), ChildSpec(two.spec("app:one")))), clock=clock
    )
    service = tree.service(Fake().spec().lifecycle)
    assert service.requires == ("app:host",)
    assert service.provides == ("app:one", "app:two")
    with running_root(clock) as root:
        root.start(user.spec("app:two"), service, host.spec())
        assert [id for _, id in journal] == ["app:host", "app:one", "app:two", "app:user"]


def test_a_tree_that_does_not_stop_in_time_is_killed_with_all_its_children(clock: VirtualClock) -> None:
    family = Family("ab")
    for fake in family.values():
        fake.obeys_stop = False
    inner = _nested(clock, family)
    with running_root(clock) as root:
        root.start(inner.service(Fake().spec(stop_timeout=3.0).lifecycle))
        root.actor.stop_service("app:inner")
        clock.advance(3.0)
        assert (root.status("app:inner"), [fake.alive for fake in family.values()]) == ("stopped", [0, 0])


def test_a_change_of_a_tree_reaches_its_present_and_its_later_lives(clock: VirtualClock) -> None:
    family = Family("ab")
    a, b = _children(family)
    inner = TreeService(TreeSpec("app:inner", (a,)), clock=clock)
    with running_root(clock) as root:
        root.start(inner.service(Fake().spec().lifecycle))
        inner.change(TreeSpec("app:inner", (a, b)))
        clock.settle()
        assert family["b"].alive == 1
        for _ in range(2):
            family["a"].crash()
            clock.settle()
        assert root.status("app:inner") == "failed"
        clock.advance(1.0)
        assert [fake.alive for fake in family.values()] == [1, 1]


def test_a_change_that_comes_while_a_life_begins_reaches_it(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = Family("ab")
    a, b = _children(family)
    inner = TreeService(TreeSpec("app:inner", (a,)), clock=clock)
    launch = TreeSupervisor.launch

    def launch_during_a_change(*args: Any, **options: Any) -> TreeSupervisor:
        inner.change(TreeSpec("app:inner", (a, b)))
        return launch(*args, **options)

    monkeypatch.setattr(TreeSupervisor, "launch", launch_during_a_change)
    with running_root(clock) as root:
        root.start(inner.service(Fake().spec().lifecycle))
        assert [fake.alive for fake in family.values()] == [1, 1]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"intensity": -1}, "intensity: got -1"),
        ({"period": 0.0}, "period: got 0"),
        ({"strategy": "two_for_one"}, "two_for_one"),
        ({"children": (ChildSpec(Fake().spec()), ChildSpec(Fake().spec()))}, "app:a twice"),
    ],
)
def test_a_bad_spec_of_a_tree_is_refused(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TreeSpec("app:tree", **bad)
