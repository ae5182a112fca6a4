from __future__ import annotations

import math
from xml.etree import ElementTree

from benchmark_making import MACHINE, scenario, side
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import chart
from benchmarks.figures import Bar, Better
from benchmarks.harness import OURS, Plan, Result, measure

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*results: Result) -> ElementTree.Element:
    return ElementTree.fromstring(chart.draw(results, MACHINE))


def result(ours: float, theirs: float, *bars: Bar, better: Better = Better.MORE) -> Result:
    return measure(scenario(side(OURS, ours, ours), side("x", theirs, theirs), better=better, bars=bars), Plan(2))


def test_each_comparison_is_a_bar_with_its_name_and_its_ratio() -> None:
    texts = ["".join(each.itertext()) for each in drawn(result(20.0, 10.0)).iter(f"{SVG}text")]
    assert "an <exchange> & more · x" in texts
    assert "2.00x" in texts


def test_a_bar_tells_by_its_style_whether_what_is_asked_is_met() -> None:
    rows = chart.rows_of([result(2.0, 1.0, Bar(1.0, "x")), result(2.0, 1.0, Bar(3.0, "x")), result(2.0, 1.0)])
    assert [row.style for row in rows] == ["ok", "short", "free"]


def test_a_goal_alone_asks_for_nothing() -> None:
    (row,) = chart.rows_of([result(2.0, 1.0, Bar(3.0, "x", goal=True))])
    assert (row.style, row.asked) == ("free", None)


def test_what_is_asked_is_marked() -> None:
    assert len(list(drawn(result(2.0, 1.0, Bar(3.0, "x"))).iter(f"{SVG}polygon"))) == 1


def test_a_chart_of_nothing_is_still_a_picture() -> None:
    assert drawn().tag == f"{SVG}svg"


@given(st.floats(min_value=0, max_value=1e9), st.floats(min_value=0, max_value=1e9))
def test_every_bar_stays_inside_the_picture(ours: float, theirs: float) -> None:
    for rect in drawn(result(ours, theirs)).iter(f"{SVG}rect"):
        left = float(rect.get("x", "0"))
        width = float(rect.get("width", "nan"))
        assert math.isfinite(left + width)
        assert 0 <= left <= left + width <= chart.WIDTH + 2
