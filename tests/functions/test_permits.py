"""Who may run a bounded function, counted for all VMs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.functions import Permits, PoolBounds, pool_bounds
from actors.functions.permits import FULL, GO, WAIT
from actors.kinds.lua import PoolSpec
from actors.vm.wire import Input


@pytest.fixture
def told() -> list[tuple[int, int, bool]]:
    return []


@pytest.fixture
def permits(told: list[tuple[int, int, bool]]) -> Permits:
    return Permits(lambda vm, record: told.append((vm, record[1], record[2])))


def test_up_to_the_bound_calls_go_and_the_rest_waits_in_order(permits: Permits, told: list[Any]) -> None:
    verdicts = [permits.take("app:f", vm, ticket, 2, 2) for vm, ticket in [(1, 1), (2, 1), (2, 2), (1, 2), (1, 3)]]
    assert verdicts == [GO, GO, WAIT, WAIT, FULL]
    permits.release("app:f", 1)
    assert told == [(2, 2, True), (1, 3, False)]
    permits.release("app:f", 2)
    permits.release("app:f", 2)
    assert told[2:] == [(1, 2, True), (1, 3, True)]


def test_functions_do_not_count_for_each_other(permits: Permits) -> None:
    assert [permits.take(f"app:{name}", 1, 1, 1, 0) for name in "ab"] == [GO, GO]


def test_a_ticket_that_left_does_not_run_and_makes_room_in_the_buffer(permits: Permits, told: list[Any]) -> None:
    for ticket in range(4):
        permits.take("app:f", 1, ticket, 1, 1)
    permits.leave("app:f", 1, 1)
    assert told == [(1, 2, False)]
    permits.release("app:f", 1)
    assert told[1:] == [(1, 2, True), (1, 3, False)]


def test_a_ticket_that_left_when_its_word_was_on_the_way_frees_its_place(permits: Permits, told: list[Any]) -> None:
    permits.take("app:f", 1, 1, 1, 9)
    permits.take("app:f", 1, 2, 1, 9)
    permits.take("app:f", 2, 1, 1, 9)
    permits.release("app:f", 1)
    permits.leave("app:f", 1, 2)
    assert [item for item in told if item[2]] == [(1, 2, True), (2, 1, True)]


def test_the_places_and_tickets_of_a_lost_vm_are_free(permits: Permits, told: list[Any]) -> None:
    for vm, ticket in [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]:
        permits.take("app:f", vm, ticket, 2, 9)
    permits.lose(1)
    assert [item for item in told if item[2]] == [(2, 1, True), (2, 2, True)]


def test_a_bound_that_grew_lets_those_who_wait_go(permits: Permits, told: list[Any]) -> None:
    permits.take("app:f", 1, 1, 1, 9)
    permits.take("app:f", 1, 2, 1, 9)
    permits.take("app:f", 1, 3, 3, 9)
    assert told == [(1, 2, True), (1, 3, True)]


def test_words_go_to_vms_as_inputs() -> None:
    posted: list[tuple[int, list[Any]]] = []
    permits = Permits(lambda vm, record: posted.append((vm, record)))
    permits.take("app:f", 1, 1, 1, 0)
    permits.take("app:f", 3, 7, 1, 0)
    permits.release("app:f", 1)
    assert posted == [(3, [Input.PERMIT, 7, True])]


@given(st.data())
def test_the_bound_holds_and_nobody_waits_beside_a_free_place(data: st.DataObject) -> None:
    bound, buffer = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 3))
    running: list[tuple[int, int]] = []
    waiting: list[tuple[int, int]] = []

    def hear(vm: int, record: list[Any]) -> None:
        if record[2]:
            assert waiting[0] == (vm, record[1]), "first come, first served"
            running.append(waiting.pop(0))

    permits = Permits(hear)
    tickets = 0
    for _ in range(data.draw(st.integers(0, 60))):
        step = data.draw(st.sampled_from(["take", "release", "leave", "lose"]))
        if step == "take":
            tickets += 1
            ticket = (data.draw(st.integers(1, 3)), tickets)
            waiting.append(ticket)
            verdict = permits.take("app:f", *ticket, bound, buffer)
            if verdict == GO:
                assert waiting == [ticket]
                running.append(waiting.pop())
            else:
                assert (verdict == FULL) == (len(waiting) > buffer)
        elif step == "release" and running:
            vm, _ = running.pop(data.draw(st.integers(0, len(running) - 1)))
            permits.release("app:f", vm)
        elif step == "leave" and waiting:
            gone = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            permits.leave("app:f", *gone)
        elif step == "lose":
            vm = data.draw(st.integers(1, 3))
            running[:] = [ticket for ticket in running if ticket[0] != vm]
            waiting[:] = [ticket for ticket in waiting if ticket[0] != vm]
            permits.lose(vm)
        assert len(running) <= bound
        assert not waiting or len(running) == bound


@pytest.mark.parametrize(
    ("spec", "bounds"),
    [
        ({}, PoolBounds(100, False, 0, False)),
        ({"max_size": 5}, PoolBounds(5, True, 0, False)),
        ({"workers": 1}, PoolBounds(1, True, 64, True)),
        ({"workers": 2, "size": 9, "buffer": 3}, PoolBounds(2, True, 3, True)),
        ({"size": 4}, PoolBounds(4, True, 0, False)),
        ({"type": "inline"}, PoolBounds(0, False, 0, False)),
        ({"type": "inline", "workers": 1}, PoolBounds(1, True, 0, False)),
        ({"type": "static"}, PoolBounds(8, False, 512, True)),
        ({"type": "static", "size": 3}, PoolBounds(3, True, 192, True)),
        ({"type": "lazy"}, PoolBounds(16, False, 0, False)),
        ({"type": "adaptive", "max_size": 2, "buffer": 7}, PoolBounds(2, True, 7, False)),
    ],
)
def test_the_pool_of_an_entry_means(spec: dict[str, Any], bounds: PoolBounds) -> None:
    assert pool_bounds(PoolSpec.model_validate(spec)) == bounds
