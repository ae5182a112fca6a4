"""The language of the demo's traffic script."""

from __future__ import annotations

from collections import Counter

import pytest

from actors.demos.chat import app_folder
from actors.demos.traffic import Deed, Line, read_deed, read_script
from registry.errors import FaultsError


def test_every_deed_is_read() -> None:
    script = """
# the beginning
 0.40 Ana connects
 +0.3 ana writes good  morning, #1 of all   # a comment
 2 poison ana
 2.5 poison digest
 3.0 poison manager   # once
 4. ana leaves
 9.50 poison manager for good
"""
    assert read_script(script, "x") == [
        Line(0.4, Deed.CONNECT, "ana"),
        Line(pytest.approx(0.7), Deed.WRITE, "ana", "good morning, #1 of all"),  # type: ignore[arg-type]
        Line(2.0, Deed.POISON, "ana"),
        Line(2.5, Deed.POISON, "digest"),
        Line(3.0, Deed.POISON, "manager"),
        Line(4.0, Deed.LEAVE, "ana"),
        Line(9.5, Deed.SPOIL, "manager"),
    ]


def test_lines_are_sorted_by_time_and_keep_their_order_at_the_same_one() -> None:
    lines = read_script("2 b connects\n1 c connects\n+0 a connects\n1 b connects\n", "x")
    assert [line.who for line in lines] == ["c", "a", "b", "b"]


def test_all_faults_come_at_once_with_file_and_line() -> None:
    script = """soon ana connects
1 ana conects
1 ana
1 ana writes
1 ana leaves now
1
1 poison
1 poison archive
1 poison ana for good
1 poison manager for ever
1 manager connects
1 a.b connects
-1 ana connects
"""
    with pytest.raises(FaultsError) as caught:
        read_script(script, "my.txt")
    assert [str(fault) for fault in caught.value.faults] == [
        "my.txt:1: got 'soon', expected a time in seconds, such as 1.5 or +0.2",
        "my.txt:2: got 'conects', expected connects, writes or leaves after ana; did you mean 'connects'?",
        "my.txt:3: got nothing, expected connects, writes or leaves after ana",
        "my.txt:4: got nothing, expected a text",
        "my.txt:5: got 'now', expected nothing after leaves",
        "my.txt:6: got nothing, expected a deed, such as: ana connects",
        "my.txt:7: got nothing, expected a user, manager or digest after poison",
        "my.txt:8: got 'archive', expected a user, manager or digest after poison",
        "my.txt:9: got 'for good', expected nothing after poison ana",
        "my.txt:10: got 'for ever', expected nothing or: for good",
        "my.txt:11: got 'manager', expected the name of a user, in letters, digits, _ and -",
        "my.txt:12: got 'a.b', expected the name of a user, in letters, digits, _ and -",
        "my.txt:13: got '-1', expected a time in seconds, such as 1.5 or +0.2",
    ]


def test_a_typed_line_has_no_time() -> None:
    assert read_deed("  ana writes  olá ") == Line(0.0, Deed.WRITE, "ana", "olá")
    with pytest.raises(ValueError, match="got 'writs', expected connects, writes or leaves after ana"):
        read_deed("ana writs olá")


def test_the_script_that_ships_has_all_that_the_demo_shows() -> None:
    lines = read_script((app_folder() / "traffic.txt").read_text(encoding="utf-8"), "traffic.txt")
    deeds = Counter(line.deed for line in lines)
    assert len(lines) >= 200
    assert deeds[Deed.SPOIL] == 1
    poisoned = Counter(line.who for line in lines if line.deed is Deed.POISON)
    assert poisoned["manager"] >= 3
    assert poisoned["digest"] >= 1
    assert sum(poisoned.values()) - poisoned["manager"] - poisoned["digest"] >= 8
    # the last row of failures fits into the demo's time, even with all jitter upwards
    spoilt = next(line.at for line in lines if line.deed is Deed.SPOIL)
    assert spoilt + 1.1 * sum(min(1.0, 0.1 * 1.5**failures) for failures in range(9)) < 16
    assert lines[-1].at < 16
    here: set[str] = set()
    for line in lines:
        if line.deed is Deed.CONNECT:
            here.add(line.who)
        elif line.deed in (Deed.WRITE, Deed.LEAVE):
            assert line.who in here, line
            if line.deed is Deed.LEAVE:
                here.remove(line.who)
