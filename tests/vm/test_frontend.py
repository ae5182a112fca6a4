"""Where safepoints go, what stays as it is, and how the front end is called."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from instrumented import without_inserts

from actors.vm.frontend import FrontEnd, SourceError
from actors.vm.sources import lua_modules, read_lua


@pytest.fixture(scope="module")
def front() -> FrontEnd:
    return FrontEnd()


def marked(front: FrontEnd, source: str) -> str:
    """The translation with <S> for each safepoint."""
    return without_inserts(front.translate(source, "app:main"), b"<S>").decode()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("while a do b() end", "while a do<S> b() end"),
        ("while a do end", "while a do<S> end"),
        ("for i = 1, 2 do b() end", "for i = 1, 2 do<S> b() end"),
        ("for k, v in pairs(t) do b() end", "for k, v in pairs(t) do<S> b() end"),
        ("repeat local x = f() until x", "repeat<S> local x = f() until x"),
        ("repeat--[[c]]local x until x", "repeat<S>--[[c]]local x until x"),
        ("do b() end", "do b() end"),
        ("if a then b() end", "if a then b() end"),
        ("function f() end", "function f()<S> end"),
        ("function a.b:c(x, ...) return ... end", "function a.b:c(x, ...)<S> return ... end"),
        ("local function f(a, b) return a end", "local function f(a, b)<S> return a end"),
        ("return function(...) return ... end", "return function(...)<S> return ... end"),
        ("f(function()return 1 end)", "f(function()<S>return 1 end)"),
        ("while function() end do end", "while function()<S> end do<S> end"),
        ("::a:: if x then goto a end", "::a:: if x then <S>goto a end"),
        ("goto a; ::a::", "<S>goto a; ::a::"),
        (
            "while a do if b then goto c end local z ::c:: end",
            "while a do<S> if b then <S>goto c end local z ::c:: end",
        ),
        ("x = 'do while function() end'", "x = 'do while function() end'"),
        ("x = [==[\nwhile a do ]] goto b\n]==]", "x = [==[\nwhile a do ]] goto b\n]==]"),
        ("-- while a do\nx = 1 --[[ function f() ]]", "-- while a do\nx = 1 --[[ function f() ]]"),
        ("goto = 1; goto.x = goto; print(goto)", "goto = 1; goto.x = goto; print(goto)"),
        ("t = {goto = 1, f = f{} }; t:goto()", "t = {goto = 1, f = f{} }; t:goto()"),
    ],
)
def test_safepoints_stand_in_loops_functions_and_before_gotos_and_nowhere_else(
    front: FrontEnd, source: str, expected: str
) -> None:
    assert marked(front, source) == expected


def test_a_line_that_begins_with_a_parenthesis_stays_a_statement_of_its_own(front: FrontEnd) -> None:
    assert marked(front, "while a do\n(f or g)() end") == "while a do<S>\n(f or g)() end"
    assert marked(front, "repeat\n(f)() until x") == "repeat<S>\n(f)() until x"
    assert marked(front, "f();\n(g)()") == "f();\n(g)()"


def test_a_call_that_could_be_a_statement_is_refused_as_luajit_refuses_it(front: FrontEnd) -> None:
    with pytest.raises(SourceError, match=r"app:main:2:1: ambiguous syntax"):
        front.translate("f\n(g)()", "app:main")


def test_any_line_end_and_any_byte_pass_unchanged(front: FrontEnd) -> None:
    source = b'local x = "\xff\x00\r" .. [[\r\n\xfe]]\r\nreturn x\n\r-- \x00\xff\r'.replace(b"\x00\r", b"\x00")
    assert without_inserts(front.translate(source, "app:main")) == source
    with pytest.raises(SourceError) as caught:
        front.translate(b"x = 1\r\ny = 2\n\rz =\r\n", "app:main")
    assert (caught.value.line, caught.value.column) == (4, 1)


def test_a_first_line_for_the_shell_and_a_byte_order_mark_are_blanked(front: FrontEnd) -> None:
    assert front.translate("#!/usr/bin/lua\nreturn 1", "app:main") == b"\nreturn 1"
    assert front.translate(b"\xef\xbb\xbf#!/usr/bin/lua\nreturn 1", "app:main") == b"\nreturn 1"
    assert front.translate(b"\xef\xbb\xbfreturn 1", "app:main") == b"return 1"
    assert front.translate("", "app:main") == b""


def test_text_counts_as_utf8(front: FrontEnd) -> None:
    assert front.translate("return 'ação'", "app:main") == "return 'ação'".encode()


def test_a_source_cannot_close_the_wrapper_that_it_is_compiled_in(front: FrontEnd) -> None:
    for source in ("end local f = function()", "return 1 end, function()", "x = 1 --[[", "x = [==["):
        with pytest.raises(SourceError):
            front.translate(source, "app:main")


def test_an_error_names_the_source_as_each_caller_does(front: FrontEnd) -> None:
    for name in ("app:one", "app:two"):
        with pytest.raises(SourceError) as caught:
            front.translate("x = = 1", name)
        assert str(caught.value).startswith(f"{name}:1:5: ")
        assert caught.value.name == name


def test_the_same_content_is_translated_once() -> None:
    front = FrontEnd(cached=2)
    first = front.translate("return 1", "app:one")
    assert front.translate(b"return 1", "app:two") is first
    front.translate("return 2", "app:one")
    front.translate("return 3", "app:one")
    again = front.translate("return 1", "app:one")
    assert again == first
    assert again is not first  # it had to go, as the one not asked for longest


def test_threads_share_one_front_end() -> None:
    front = FrontEnd()
    results: list[bytes] = []

    def work(number: int) -> None:
        for i in range(20):
            results.append(front.translate(f"while a do b({number}, {i}) end", "app:main"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 80


def test_a_small_stack_is_enough_for_hostile_nesting(front: FrontEnd) -> None:
    faults: list[str] = []

    def work() -> None:
        for opener in ("(", "{", "do ", "f(function() ", "local x: {", "not ", "x = a as A<"):
            try:
                front.translate(f"return {opener * 10_000}" if opener in "({" else opener * 10_000, "app:main")
            except SourceError as error:
                faults.append(error.message)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert len(faults) == 7


def test_importing_the_front_end_loads_no_lua() -> None:
    code = "import sys, actors.vm.frontend as f; f.FrontEnd(); sys.exit(any(m.startswith('lupa') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_lua_sources_are_found_by_the_names_that_require_takes() -> None:
    names = lua_modules("frontend")
    assert names[0] == "frontend"
    assert "frontend.lexer" in names
    assert all(read_lua(name) for name in names)
    with pytest.raises(FileNotFoundError, match=r"frontend\.missing"):
        read_lua("frontend.missing")
