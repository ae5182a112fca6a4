"""The tests of an app: which, in what order, what counts as passed, and what is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from actors.apptests import Case, Places, Result, find_cases, junit_xml, run_case, run_cases
from actors.errors import ProcessError
from actors.kinds import EntryKinds
from registry import FaultsError, Registry

INDEX = """\
namespace: shop
meta: { type: test }
entries:
  - { name: zeta, kind: function.lua, method: run, source: file://zeta.lua, meta: { order: -1 } }
  - { name: beta, kind: function.lua, method: run, source: return function() end, meta: { order: 2 } }
  - { name: alpha, kind: function.lua, method: run, source: return function() end, meta: { order: 2, name: first } }
  - { name: later, kind: function.lua, method: run, source: return function() end, meta: { suite: b } }
  - { name: sooner, kind: function.lua, method: run, source: return function() end, meta: { suite: a, timeout: 5s } }
  - { name: none, kind: function.lua, method: run, source: return function() end, meta: { type: helper } }
  - { name: lib, kind: library.lua, source: "return {}" }
"""


@pytest.fixture
def entries(tmp_path: Path) -> Registry:
    (tmp_path / "_index.yaml").write_text(INDEX)
    (tmp_path / "zeta.lua").write_text("\n\nreturn function() end\n")
    return Registry.load(tmp_path, kinds=EntryKinds())


def test_tests_run_by_suite_order_and_id(entries: Registry) -> None:
    names = ["zeta", "alpha", "beta", "sooner", "later"]
    assert [case.id for case in find_cases(entries)] == [f"shop:{name}" for name in names]


def test_the_filter_is_a_part_of_the_id(entries: Registry) -> None:
    assert [case.id for case in find_cases(entries, "a")] == ["shop:zeta", "shop:alpha", "shop:beta", "shop:later"]
    assert find_cases(entries, "first") == []


def test_a_case_knows_its_name_time_and_place(entries: Registry, tmp_path: Path) -> None:
    [alpha] = find_cases(entries, "alpha")
    assert (alpha.name, alpha.timeout, alpha.file, alpha.line) == ("first", 60.0, f"{tmp_path}/_index.yaml", 6)
    [sooner] = find_cases(entries, "sooner")
    assert (sooner.name, sooner.suite, sooner.timeout) == ("shop:sooner", "a", 5.0)


@pytest.mark.parametrize(
    ("meta", "field", "expected"),
    [
        ("timeout: 5", "timeout", "a duration above 0"),
        ("timeout: 0s", "timeout", "a duration above 0"),
        ("order: first", "order", "a number"),
        ("suite: [a]", "suite", "a text"),
    ],
)
def test_meta_that_means_nothing_is_a_fault_with_its_line(tmp_path: Path, meta: str, field: str, expected: str) -> None:
    text = f"namespace: a\nname: b\nkind: function.lua\nmethod: m\nsource: return 1\nmeta:\n  type: test\n  {meta}\n"
    (tmp_path / "_index.yaml").write_text(text)
    with pytest.raises(FaultsError) as refused:
        find_cases(Registry.load(tmp_path, kinds=EntryKinds()))
    assert str(refused.value.faults[0]).startswith(f"{tmp_path}/_index.yaml:8: a:b.meta.{field}: got ")
    assert expected in str(refused.value.faults[0])


def _run(entries: Registry, outcome: Any) -> Result:
    def call(id: str, timeout: float) -> Any:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    ticks = iter((10.0, 12.5))
    return run_case(Case("shop:zeta", "zeta", file="i.yaml", line=4), call, lambda: next(ticks), Places(entries))


@pytest.mark.parametrize("value", [None, True, 0, "", {"error": "no"}])
def test_whatever_is_returned_but_false_passes(entries: Registry, value: Any) -> None:
    result = _run(entries, value)
    assert (result.passed, result.seconds, result.message) == (True, 2.5, "")


def test_false_fails_at_the_entry(entries: Registry) -> None:
    result = _run(entries, False)
    assert (result.passed, result.message, result.file, result.line) == (False, "the test returned false", "i.yaml", 4)


def test_an_error_fails_with_the_file_and_the_line_of_its_message_or_stack(entries: Registry, tmp_path: Path) -> None:
    result = _run(entries, ProcessError("zeta.lua:3: boom", stack="zeta.lua:3 in run"))
    assert (result.file, result.line, result.stack) == (f"{tmp_path}/zeta.lua", 3, ("zeta.lua:3 in run",))
    result = _run(entries, ProcessError("no money", kind="Invalid", stack="zeta.lua:2 in pay\nzeta.lua:3"))
    assert (result.message, result.kind, result.file, result.line) == (
        "no money",
        "Invalid",
        f"{tmp_path}/zeta.lua",
        2,
    )


def test_a_place_in_inline_text_is_told_as_that_of_its_file(entries: Registry, tmp_path: Path) -> None:
    result = _run(entries, ProcessError("shop:beta:1: boom"))
    assert (result.file, result.line) == (f"{tmp_path}/_index.yaml", 5)


def test_a_test_that_takes_too_long_fails_as_a_timeout(entries: Registry) -> None:
    result = _run(entries, TimeoutError("late"))
    assert (result.passed, result.kind, result.message) == (False, "Timeout", "the test took longer than 60 s")


def test_each_test_is_called_once_with_its_own_time(entries: Registry) -> None:
    calls: list[tuple[str, float]] = []

    def call(id: str, timeout: float) -> None:
        calls.append((id, timeout))

    results = list(run_cases(find_cases(entries, "er"), call, lambda: 0.0, Places(entries)))
    assert calls == [("shop:sooner", 5.0), ("shop:later", 60.0)]
    assert all(result.passed for result in results)


def test_junit_counts_suites_and_keeps_to_what_xml_can_hold() -> None:
    good = Result(Case("a:x", "x", "s", file="f.yaml", line=3), True, 0.25)
    bad = Result(Case("a:y", "y <&>", "s"), False, 0.5, "no \x00 \x1b[1m]]>", "Invalid", "t.lua", 7, ("t.lua:7 in f",))
    alone = Result(Case("a:z", "z"), True, 0.0)
    root = ElementTree.fromstring(junit_xml([alone, good, bad]))
    assert (root.get("tests"), root.get("failures"), root.get("time")) == ("3", "1", "0.750")
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("(no suite)", "1", "0"),
        ("s", "2", "1"),
    ]
    first, second = root[1]
    assert (first.get("name"), first.get("classname"), first.get("file"), first.get("line")) == (
        "x",
        "s",
        "f.yaml",
        "3",
    )
    assert second.get("name") == "y <&>"
    [failure] = second
    assert (failure.get("message"), failure.get("type")) == ("no \ufffd \ufffd[1m]]>", "Invalid")
    assert failure.text == "t.lua:7: no \ufffd \ufffd[1m]]>\nt.lua:7 in f"
