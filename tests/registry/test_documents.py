from typing import Any

import pytest

from registry._documents import DocumentError, Place, read_json, read_yaml


def keep(text: str, place: Place) -> str:
    return text


def test_scalars_mean_what_yaml_1_2_says() -> None:
    text = "{a: yes, b: true, c: 0x10, d: 1e3, e: 0644, f: 2024-01-01, g: ~, h: '1', i: -3, j: .5, k: 1_000, l: on}"
    value, _ = read_yaml(text, keep)
    assert value == {
        "a": "yes",
        "b": True,
        "c": 16,
        "d": 1000.0,
        "e": 0o644,
        "f": "2024-01-01",
        "g": None,
        "h": "1",
        "i": -3,
        "j": 0.5,
        "k": 1000,
        "l": "on",
    }


def test_every_field_knows_its_line_and_inline_text_where_it_begins() -> None:
    text = "a:\n  b: 1\n  c:\n    - x\n    - y: 2\ns: |\n  local x\n  return x\n"
    _, place = read_yaml(text, keep)
    assert place.at(("a",)).line == 1
    assert place.at(("a", "b")).line == 2
    assert place.at(("a", "c", 1, "y")).line == 5
    assert (place.at(("s",)).line, place.at(("s",)).text_line) == (6, 7)
    assert place.at(("a", "nothing", "here")).line == 1


def test_anchors_aliases_and_merge_keys_work() -> None:
    value, place = read_yaml("base: &b {x: 1, y: 2}\none:\n  <<: *b\n  y: 3\ntwo: *b\n", keep)
    assert value == {"base": {"x": 1, "y": 2}, "one": {"x": 1, "y": 3}, "two": {"x": 1, "y": 2}}
    assert place.at(("two",)).line == 5


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: [1", 2, "did not find expected"),
        ("a: 1\na: 2", 2, "'a' stands twice"),
        ("a: b: c", 1, "mapping values are not allowed"),
        ("x: 1\ny: !!python/object z", 2, "has no meaning here"),
        ("a: *x", 1, "unknown alias 'x'"),
        ("? [a]\n: b", 1, "the key of a map must be"),
        ("a: 1\n<<: 3", 2, "'<<' takes a map"),
    ],
)
def test_broken_yaml_is_told_with_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_yaml(text, keep)
    assert caught.value.line == line
    assert problem in caught.value.problem


def test_a_document_of_aliases_that_would_fill_memory_is_refused() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(DocumentError, match="aliases expand"):
        read_yaml("\n".join(lines), keep)


def test_a_document_that_is_too_deep_is_refused() -> None:
    with pytest.raises(DocumentError, match="nested deeper"):
        read_yaml("[" * 500 + "]" * 500, keep)


def test_json_is_read_with_lines_and_its_own_rules() -> None:
    value, place = read_json('{\n\t"a": "x\\/y",\n\t"b": {"c": "\\ud83d\\ude00"}\n}', keep)
    assert value == {"a": "x/y", "b": {"c": "😀"}}
    assert place.line >= 1
    value, place = read_json('{\n "a": 1,\n "b": {\n  "c": "file://x"}}', lambda text, _: text.upper())
    assert value["b"] == {"c": "FILE://X"}
    assert place.at(("b", "c")).line == 4
    with pytest.raises(DocumentError) as caught:
        read_json('{\n"a": }', keep)
    assert caught.value.line == 2


def test_an_empty_document_is_nothing() -> None:
    value: Any
    for text in ("", "# only a comment\n", "---\n"):
        value, _ = read_yaml(text, keep)
        assert value is None


def test_odd_numbers_stay_text() -> None:
    long = "9" * 5000
    value, _ = read_yaml(f"[{long}, 0o_, 0x_, 08, 1.2.3, -, +, .]", keep)
    assert value == [long, "0o_", "0x_", 8.0, "1.2.3", "-", "+", "."]
