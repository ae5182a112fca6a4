"""Results of tests as JUnit XML, which continuous integration reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final
from xml.etree import ElementTree

from actors.apptests.runner import Result

# what XML 1.0 cannot hold, not even escaped
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[Result]) -> bytes:
    """Return one ``testsuite`` for each suite, in the order of the results, as a UTF-8 document."""
    root = ElementTree.Element("testsuites", _figures(results), name="tutela")
    for suite, group in groupby(results, key=lambda result: result.case.suite):
        members = list(group)
        name = suite or "(no suite)"
        element = ElementTree.SubElement(root, "testsuite", {"name": _text(name), **_figures(members)})
        for result in members:
            _add_case(element, result, name)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _add_case(suite: ElementTree.Element, result: Result, classname: str) -> None:
    case = result.case
    attributes = {"name": _text(case.name), "classname": _text(classname), "time": f"{result.seconds:.3f}"}
    if case.file:
        attributes.update(file=_text(case.file), line=str(case.line))
    element = ElementTree.SubElement(suite, "testcase", attributes)
    if not result.passed:
        about = {"message": _text(result.message), "type": _text(result.kind)}
        failure = ElementTree.SubElement(element, "failure", about)
        place = f"{result.file}:{result.line}: " if result.file else ""
        failure.text = _text("\n".join((place + result.message, *result.stack)))


def _figures(results: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not result.passed for result in results)),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
