"""The string library of scripts: equal to C's, but bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lua.harness import Lua

ATOMS = (
    *("a", "b", "c", ".", "%a", "%d", "%s", "%w", "%A", "%g", "%p", "%z", "%.", "[ab]", "[^a]", "[a-c]", "[%d-]"),
    *("[]a]", "[^]]", "[a-]", "[-a]", "[%]]", "[a-%d]", "(", ")", "()", "(", ")", "%1", "%2", "%b()", "%bab"),
    *("%f[%a]", "%f[^a]", "$", "^", "%", "[", "-", "1", "]", "\0"),
)
PATTERNS = st.builds(
    lambda start, items, end: start + "".join(atom + quantifier for atom, quantifier in items) + end,
    st.sampled_from(["", "", "^", "("]),
    st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(["", "", "", "*", "+", "-", "?"])), max_size=5),
    st.sampled_from(["", "", "$", ")"]),
)
SUBJECTS = st.text(alphabet="aabbc1 .()%\0-]", max_size=10)

# Compares every pattern function with C's, all calls going through the matcher that counts.
COMPARE = """
local strings, patterns = require("strings"), require("patterns")
local real = patterns.compile
local function never_c(p, caret)
  local program = real(p, caret)
  program.safe = -1
  return program
end
for _, f in pairs(strings) do
  for i = 1, 60 do
    local ok, name = pcall(debug.getupvalue, f, i)
    if ok and name == "compile" then debug.setupvalue(f, i, never_c) end
  end
end
local function outcome(f, ...)
  local results = {pcall(f, ...)}
  local n = select("#", pcall(f, ...))
  for i = 1, n do results[i] = tostring(results[i]):gsub("^[^ ]*:%d+: ", ""):gsub("to '.-' ", "") end
  return table.concat(results, "|", 1, n)
end
local function list(gmatch)
  return function(s, p)
    local found = {}
    for a, b in gmatch(s, p) do found[#found + 1] = tostring(a) .. "," .. tostring(b) end
    return table.concat(found, ";")
  end
end
local named = setmetatable({}, {__index = function(_, key) return "<" .. tostring(key) .. ">" end})
local function joined(a, b) return tostring(a) .. ":" .. tostring(b) end
return function(s, p, init, repl)
  for _, call in ipairs({
    {"find", s, p, init}, {"match", s, p, init}, {"gsub", s, p, repl}, {"gsub", s, p, repl, 2},
    {"gsub", s, p, named}, {"gsub", s, p, joined},
  }) do
    local name = call[1]
    local expected = outcome(string[name], unpack(call, 2, 5))
    local got = outcome(strings[name], unpack(call, 2, 5))
    if expected ~= got then return name .. ": C " .. expected .. " ours " .. got end
  end
  local expected, got = outcome(list(string.gmatch), s, p), outcome(list(strings.gmatch), s, p)
  if expected ~= got then return "gmatch: C " .. expected .. " ours " .. got end
end
"""


@pytest.fixture
def lua() -> Lua:
    return Lua()


COMPARED = Lua().run(COMPARE)


@settings(max_examples=400, deadline=None)
@given(
    SUBJECTS,
    PATTERNS,
    st.sampled_from([None, 1, 3, -2, 0, 20]),
    st.sampled_from(["x", "", "%0", "%1-%2", "%%", "%", "[%1]", "%a", 7]),
)
def test_the_counting_matcher_gives_what_the_c_matcher_gives(
    subject: str, pattern: str, init: int | None, replacement: str | int
) -> None:
    text = replacement if isinstance(replacement, int) else replacement.encode()
    difference = COMPARED(subject.encode(), pattern.encode(), init, text)
    assert difference is None, (subject, pattern, difference)


@pytest.mark.parametrize(
    "call",
    [
        "S.find(('a'):rep(40), ('a?'):rep(40) .. ('a'):rep(40))",
        "S.find(('a'):rep(1000), ('a*'):rep(10) .. 'b')",
        "S.match(('a'):rep(20000), '.-.-.-.-x')",
        "S.gsub(('a'):rep(100000), '(.*)x', '')",
        "S.find(('('):rep(100000), '%b()')",
        "do for _ in S.gmatch(('a'):rep(20000), '.-.-.-.-x') do end end",
    ],
)
def test_a_hostile_pattern_raises_instead_of_holding_the_vm(lua: Lua, call: str) -> None:
    assert "pattern too complex" in lua.error(f"local S = require('strings') {call}")


def test_a_fault_of_a_pattern_names_the_line_of_the_script(lua: Lua) -> None:
    code = "local S = require('strings')\nlocal r = S.find(('a'):rep(40), ('a?'):rep(40) .. 'b')\nreturn r"
    assert lua.error(code).startswith("test.lua:2: pattern too complex")


def test_ordinary_patterns_work_on_large_subjects(lua: Lua) -> None:
    assert lua.run(
        """local S = require("strings")
        local text, n = S.gsub(("key=value, "):rep(20000), "(%w+)=(%w+)", "%2=%1")
        local trimmed = S.match("  " .. ("x y"):rep(3000) .. "  ", "^%s*(.-)%s*$")
        return n, #text, text:sub(1, 11), #trimmed"""
    ) == (20000, 220000, b"value=key, ", 9000)


def test_a_plain_search_of_repeating_texts_is_linear_and_right(lua: Lua) -> None:
    assert lua.run(
        """local S = require("strings")
        local hay, needle = ("a"):rep(200000) .. "b" .. ("a"):rep(200000), ("a"):rep(100000) .. "b"
        local from, to = S.find(hay, needle, 1, true)
        return from, to, (S.find(hay, needle)), S.find(hay, needle .. "c", 1, true), (S.find(hay, needle, 1e5 + 2))"""
    ) == (100001, 200001, 100001, None, None)


def test_a_replacement_callback_may_match_as_well(lua: Lua) -> None:
    assert lua.run(
        """local S = require("strings")
        local subject = ("ab,"):rep(350)
        local text = S.gsub(subject, "(%w+),", function(word)
          return (S.gsub(S.rep(word, 1000), "(%w)b*c?", "x")):sub(1, 2) .. ";"
        end)
        return #text, text:sub(1, 6)"""
    ) == (1050, b"xx;xx;")


def test_rep_is_bounded(lua: Lua) -> None:
    assert lua.run("return require('strings').rep('ab', 3, '-'), require('strings').rep('x', -1)") == (b"ab-ab-ab", b"")
    assert "resulting string too large" in lua.error("require('strings').rep('x', 1e10)")
    assert "resulting string too large" in lua.error("require('strings').rep('', 1e9, 'xx')")
    assert "bad argument #2 to 'rep' (number expected, got nil)" in lua.error("require('strings').rep('x')")


def test_concat_is_bounded_and_keeps_the_faults_of_c(lua: Lua) -> None:
    assert lua.run("return require('strings').table_concat({1, 'b', 3}, ', ')") == b"1, b, 3"
    assert "resulting string too large" in lua.error(
        "local big, t = ('x'):rep(1e6), {} for i = 1, 100 do t[i] = big end require('strings').table_concat(t)"
    )
    assert "index 2" in lua.error("require('strings').table_concat({'a', {}})")


def test_a_replacement_cannot_blow_up_the_subject(lua: Lua) -> None:
    assert "resulting string too large" in lua.error(
        "local x = require('strings').gsub(('a'):rep(1e5), 'a', ('b'):rep(1e5))"
    )


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("S.find(e, 'not')", 1),
        ("S.match(e, '%w+$')", b"found"),
        ("S.gsub(e, 'not ', '')", (b"found", 1)),
        ("S.gmatch(e, '%w+')()", b"not"),
        ("S.len(e)", 9),
        ("S.lower(e)", b"not found"),
        ("S.upper(e)", b"NOT FOUND"),
        ("S.sub(e, 1, 3)", b"not"),
        ("e:upper()", b"NOT FOUND"),
        ("e:find('found', 1, true)", (5, 9)),
    ],
)
def test_error_objects_count_as_text(lua: Lua, call: str, expected: object) -> None:
    got = lua.run(f"local S = require('strings') local e = require('errors').make('', 'not found') return {call}")
    assert got == expected or (isinstance(got, tuple) and got[0] == expected)


@pytest.mark.parametrize("name", ["find", "match", "gmatch", "gsub", "len", "lower", "upper", "sub", "rep"])
def test_a_wrong_subject_is_named_in_the_message(lua: Lua, name: str) -> None:
    assert f"test.lua:1: bad argument #1 to '{name}' (string expected, got table)" in lua.error(
        f"local r = require('strings').{name}({{}}, 'x', 'y') return r"
    )


def test_dump_is_not_there_and_the_rest_is(lua: Lua) -> None:
    assert lua.run(
        """local S, missing = require("strings"), {}
        for name in pairs(string) do if not S[name] then missing[#missing + 1] = name end end
        table.sort(missing)
        return table.concat(missing, " "), S.byte("a"), S.char(98), S.reverse("ab"), S.format("%5.1f", 2)"""
    ) == (b"dump", 97, b"b", b"ba", b"  2.0")
