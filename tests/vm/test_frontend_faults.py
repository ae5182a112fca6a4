"""What the front end refuses, with its place and its words."""

from __future__ import annotations

import pytest

from actors.vm.frontend import FrontEnd, SourceError


@pytest.fixture(scope="module")
def front() -> FrontEnd:
    return FrontEnd()


def fault(front: FrontEnd, source: str | bytes) -> str:
    with pytest.raises(SourceError) as caught:
        front.translate(source, "f.lua")
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = end", "f.lua:1:5: unexpected 'end', expected an expression near 'x = end'"),
        ("x =", "f.lua:1:4: unexpected '<eof>', expected an expression near '<eof>'"),
        ("\n\nif a then\n  b()\n", "f.lua:5:1: 'end' expected (to close 'if' at line 3) near '<eof>'"),
        ("while a do", "f.lua:1:11: 'end' expected (to close 'while' at line 1) near '<eof>'"),
        ("for i = 1, 2 do", "f.lua:1:16: 'end' expected (to close 'for' at line 1) near '<eof>'"),
        ("function f()", "f.lua:1:13: 'end' expected (to close 'function' at line 1) near '<eof>'"),
        ("repeat x = 1", "f.lua:1:13: 'until' expected (to close 'repeat' at line 1) near '<eof>'"),
        ("f(1,\n2", "f.lua:2:2: ')' expected (to close '(' at line 1) near '<eof>'"),
        ("t = {1,\n2", "f.lua:2:2: '}' expected (to close '{' at line 1) near '<eof>'"),
        ("if a b() end", "f.lua:1:6: unexpected 'b', expected 'then' after the condition of 'if' near 'if a b'"),
        (
            "a.b",
            "f.lua:1:4: unexpected '<eof>', expected '=' or a call: an expression alone is no statement near '<eof>'",
        ),
        ("f() = 1", "f.lua:1:1: cannot assign to this: only a variable or a field can stand before '='"),
        ("(a) = 1", "f.lua:1:1: cannot assign to this: only a variable or a field can stand before '='"),
        (
            "return 1 print(2)",
            "f.lua:1:10: unexpected 'print', expected the end of the block after 'return' near 'return 1 print'",
        ),
        ("end", "f.lua:1:1: unexpected 'end', expected a statement or the end of the source near 'end'"),
        ("local x <const> = 1", "f.lua:1:9: attributes such as <const> and <close> are not available"),
        ("x = 7 // 2", "f.lua:1:7: the operator '//' is not available: write math.floor(a / b)"),
        ("x = a << 2", "f.lua:1:7: the operator '<<' is not available: there are no bitwise operators"),
        ("x = a >> 2", "f.lua:1:7: the operator '>>' is not available: there are no bitwise operators"),
        (
            "x = a & 2",
            "f.lua:1:7: unexpected '&', expected an operator near 'x = a &' (there are no bitwise operators)",
        ),
        (
            "x = a | 2",
            "f.lua:1:7: unexpected '|', expected an operator near 'x = a |' (there are no bitwise operators)",
        ),
        ("if a && b then", "f.lua:1:6: unexpected '&', expected an operator near 'if a &' (write 'and')"),
        ("if a != b then", "f.lua:1:6: '!=' is no operator of Lua: write '~='"),
        ("x = 1LL", "f.lua:1:5: the literal '1LL' is LuaJIT's own and not available: numbers are doubles"),
        ("x = 0xFFull", "f.lua:1:5: the literal '0xFFull' is LuaJIT's own and not available: numbers are doubles"),
        ("x = 2i", "f.lua:1:5: the literal '2i' is LuaJIT's own and not available: numbers are doubles"),
        ("x = 3x", "f.lua:1:5: malformed number near '3x'"),
        ("x = 3..2", "f.lua:1:5: malformed number near '3..2'"),
        ("x = 'abc\n'", "f.lua:1:5: unfinished string near ''abc'"),
        ("x = 'abc", "f.lua:1:5: unfinished string: no closing ' before the end of the source"),
        (r"x = '\q'", "f.lua:1:6: invalid escape '\\q' in a string"),
        (r"x = '\300'", "f.lua:1:6: escape '\\300' is too large: one byte is at most \\255"),
        (r"x = '\x4'", "f.lua:1:6: escape '\\x' needs two hexadecimal digits"),
        (r"x = '\u{110000}'", "f.lua:1:6: escape '\\u' needs a Unicode code point in braces, as in \\u{20AC}"),
        ("x = [=[ ]]", "f.lua:1:5: unfinished string: no closing ']=]' before the end of the source"),
        ("x = [=x", "f.lua:1:5: malformed long bracket near '[=x'"),
        ("--[[ x", "f.lua:1:3: unfinished comment: no closing ']]' before the end of the source"),
        ("x = $", "f.lua:1:5: unexpected symbol near '$'"),
        ("break", "f.lua:1:1: 'break' outside of a loop"),
        ("while a do f(function() break end) end", "f.lua:1:25: 'break' outside of a loop"),
        ("goto x", "f.lua:1:1: undefined label 'x' for goto"),
        ("goto x; do ::x:: end", "f.lua:1:1: undefined label 'x' for goto"),
        ("::x::\n::x::", "f.lua:2:3: duplicate label 'x' (already defined at line 1)"),
        ("do goto x; local a; ::x:: b() end", "f.lua:1:4: goto 'x' jumps into the scope of local 'a'"),
        (
            "function f() return ... end",
            "f.lua:1:21: '...' outside of a vararg function: the function around it takes no '...'",
        ),
        ("local __r = 1", "f.lua:1:7: the name '__r' is reserved for the runtime: use another one"),
        ("x = {\n  __r = 1 }", "f.lua:2:3: the name '__r' is reserved for the runtime: use another one"),
        ("f(", "f.lua:1:3: unexpected '<eof>', expected an expression near '<eof>'"),
        (
            "x += 1",
            "f.lua:1:3: unexpected '+', expected '=' or a call: an expression alone is no statement near 'x +' "
            "(write 'x = x + y')",
        ),
    ],
)
def test_a_fault_tells_its_place_and_what_was_expected(front: FrontEnd, source: str, expected: str) -> None:
    assert fault(front, source) == expected


def test_compiled_code_is_refused(front: FrontEnd) -> None:
    for source in (b"\x1bLJ\x02", b"\x1bLua", b"\xef\xbb\xbf\x1bLJ\x02", b"#!x\n\x1bLJ\x02"):
        assert "f.lua:" in fault(front, source)
    assert fault(front, b"\x1bLJ\x02") == "f.lua:1:1: this is compiled code (bytecode): only sources can be loaded"


def closure(used: int) -> str:
    names = [f"v{i}" for i in range(used)]
    return f"local {', '.join(names)}\nlocal function f()\n  return {', '.join(names)}\nend"


def test_a_function_may_use_59_locals_of_the_functions_around_it_and_the_60th_is_refused(front: FrontEnd) -> None:
    assert front.translate(closure(59), "f.lua")
    assert fault(front, closure(60)).endswith(
        "function 'f' at line 2 uses more than 59 locals of the functions around it: "
        "'v59' is one too many (keep them in a table)"
    )
    assert fault(front, closure(60)).startswith("f.lua:3:")


def test_a_function_captures_what_the_functions_in_it_use(front: FrontEnd) -> None:
    names = [f"v{i}" for i in range(60)]
    uses = [f"  local function g{i}() return {', '.join(names[i * 20 : i * 20 + 20])} end\n" for i in range(3)]
    source = f"local {', '.join(names)}\nfunction outer()\n{''.join(uses)}end"
    assert "f.lua:5:" in fault(front, source)
    assert "function 'outer' at line 2 uses more than 59 locals" in fault(front, source)
    assert front.translate(source.replace(", v59", ""), "f.lua")


def test_a_function_may_have_200_locals_and_the_next_is_refused(front: FrontEnd) -> None:
    declarations = "\n".join(f"local v{i}" for i in range(200))
    assert front.translate(declarations, "f.lua")
    assert fault(front, declarations + "\nlocal w") == (
        "f.lua:201:7: the main chunk has more than 200 local variables: 'w' is one too many"
    )
    assert fault(front, f"\nfunction a.b:c()\n{declarations} end") == (
        "f.lua:202:7: function 'a.b:c' at line 2 has more than 200 local variables: 'v199' is one too many"
    )
    assert front.translate(f"do {declarations} end do {declarations} end", "f.lua")


@pytest.mark.parametrize("opener", ["(", "{", "f(", "t[", "{{"])
def test_deep_nesting_of_brackets_is_a_fault(front: FrontEnd, opener: str) -> None:
    assert "nested too deeply: at most 199 levels" in fault(front, "x = " + opener * 10_000)


@pytest.mark.parametrize("opener", ["do ", "if a then ", "while a do ", "repeat ", "function f() "])
def test_deep_nesting_of_blocks_is_a_fault(front: FrontEnd, opener: str) -> None:
    assert "nested too deeply: at most 199 levels" in fault(front, opener * 10_000)


@pytest.mark.parametrize("opener", ["{", "(", "A<", "() -> ", "typeof(", "A @min(x as "])
def test_deep_nesting_of_types_is_a_fault(front: FrontEnd, opener: str) -> None:
    assert "nested too deeply: at most 199 levels" in fault(front, "local x: " + opener * 10_000)


def test_what_only_the_compiler_bounds_is_told_with_its_line_and_what_to_do(front: FrontEnd) -> None:
    message = fault(front, "\nx = " + "a .. " * 300 + "a")
    assert message.startswith("f.lua:2:1: chunk has too many syntax levels (")
    assert message.endswith("split it up)")


def test_what_would_keep_the_compiler_busy_for_minutes_is_refused_at_once(front: FrontEnd) -> None:
    assert "'and' and 'or' in one statement" in fault(front, "x = " + "a and " * 200_000 + "a")
    assert "branches in one 'if'" in fault(front, "if a then " + "elseif a then " * 200_000 + "end")
    assert "gotos and labels" in fault(front, "goto a " * 200_000 + "::a::")
