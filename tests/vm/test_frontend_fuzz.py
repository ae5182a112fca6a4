"""Random programs: what the front end makes of them must run as they do, and it must judge sources as LuaJIT does."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from frontend_programs import Program, Writer
from hypothesis import given, settings
from hypothesis import strategies as st
from instrumented import without_inserts
from lupa.luajit21 import LuaRuntime

from actors.vm.sources import lua_modules, read_lua

SEEDS = st.integers(0, 2**32 - 1)

# Runs a program in an environment of its own and tells all that it did: every `out`, its results or its error.
SCRATCH = rb"""
local function serialized(...)
  local parts = {}
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    local kind = type(value)
    parts[i] = (kind == "table" or kind == "function") and kind or tostring(value)
  end
  return table.concat(parts, "|")
end

local function program(text, r)
  local chunk, fault = loadstring("local __r = ... return function(...) " .. text .. "\nend", "=app")
  if not chunk then
    return nil, fault
  end
  return chunk(r)
end

local function run(text, r, drive)
  local log, ticks = {}, 0
  local environment = { ipairs = ipairs, select = select, error = error, pcall = pcall, tonumber = tonumber }
  environment.print = print
  function environment.out(...)
    log[#log + 1] = serialized(...)
  end
  function environment.tick()
    ticks = ticks + 1
    if ticks > 2000 then
      error("out of ticks")
    end
  end
  local main, fault = program(text, r)
  if not main then
    return "does not compile: " .. fault, 0
  end
  local chunk = main
  setfenv(chunk, environment)
  log[#log + 1] = serialized(drive(pcall, chunk, 1, "two", nil))
  return table.concat(log, "\n"), ticks
end

local function call(f, ...)
  return f(...)
end

local function plain(text)
  return run(text, nil, call)
end

-- gives way at every safepoint, and counts them
local function instrumented(text)
  local passed, r = 0, nil
  r = { n = 0, s = function(v) return v end, y = function()
    passed = passed + 1
    r.n = 0
    if coroutine.isyieldable() then
      coroutine.yield("gives way")
    end
  end }
  local function drive(f, ...)
    local co = coroutine.create(f)
    local function on(ok, first, ...)
      if ok and first == "gives way" and coroutine.status(co) == "suspended" then
        return on(coroutine.resume(co))
      end
      return first, ...
    end
    return on(coroutine.resume(co, ...))
  end
  local told, ticks = run(text, r, drive)
  return told, ticks, passed
end

local function loads(text)
  local chunk, fault = loadstring(text, "=app")
  return chunk ~= nil, fault
end

local frontend
local function translate(source)
  frontend = frontend or require("frontend")
  local text, fault = frontend.translate(source, "app")
  if text then
    return text
  end
  return nil, fault.line, fault.column, fault.message
end

local function install(name, source)
  package.preload[name] = assert(loadstring(source, "=" .. name))
end

return install, { plain = plain, instrumented = instrumented, loads = loads, translate = translate }
"""


class Scratch:
    """A Lua state with the front end alone, without the check by LuaJIT's compiler that `FrontEnd` adds."""

    def __init__(self) -> None:
        lua = LuaRuntime(unpack_returned_tuples=True, encoding=None)
        install, functions = lua.execute(SCRATCH)
        for name in lua_modules("frontend"):
            install(name.encode(), read_lua(name))
        self.functions: dict[str, Callable[..., Any]] = {k.decode(): v for k, v in functions.items()}

    def translate(self, source: bytes) -> tuple[bytes | None, str]:
        answer = self.functions["translate"](source)
        if isinstance(answer, bytes):
            return answer, ""
        _, line, column, message = answer
        assert 1 <= line <= source.count(b"\n") + source.count(b"\r") + 1
        assert 1 <= column <= len(source) + 1
        return None, message.decode("latin-1")

    def loads(self, text: bytes) -> tuple[bool, str]:
        loads, fault = self.functions["loads"](text)
        return loads, (fault or b"").decode("latin-1")


@pytest.fixture(scope="module")
def scratch() -> Scratch:
    return Scratch()


def written(seed: int) -> Program:
    return Writer(seed, statements=random.Random(seed).randint(3, 30)).write()


@settings(max_examples=250, deadline=None)
@given(seed=SEEDS)
def test_an_instrumented_program_does_what_the_plain_one_does_to_the_line_of_its_errors(
    scratch: Scratch, seed: int
) -> None:
    source = written(seed).plain().encode()
    text, fault = scratch.translate(source)
    assert text is not None, fault
    expected, _ = scratch.functions["plain"](source)
    assert b"does not compile" not in expected, expected
    seen, ticks, passed = scratch.functions["instrumented"](text)
    assert seen == expected
    assert passed >= ticks  # every loop body and every function of these programs tells that it was entered
    assert without_inserts(text) == source


@settings(max_examples=250, deadline=None)
@given(seed=SEEDS)
def test_a_typed_program_becomes_the_program_without_types(scratch: Scratch, seed: int) -> None:
    program = written(seed)
    typed, fault = scratch.translate(program.typed().encode())
    assert typed is not None, fault
    plain, fault = scratch.translate(program.plain().encode())
    assert plain is not None, fault
    assert typed == plain


# one token or a few a line; `~` between words stands for a blank
SOUP = r"""
and break do else elseif end false for function if in local nil not or repeat return then true until while goto
a b c self x.y f() f(a) f{} f"s" a:m() ::l:: ::k:: goto~l ... .. . , ; : :: = == ~= < <= > >= + - * / % ^ # ( ) { } [ ]
1 0x1F 1e5 .5 3..2 0x 1LL "a" 'b' "\q" "\x41" "\u{20AC}" [[s]] [=[s]=] [= --[[c]] local~a a=1 function~f()
while~a~do for~i=1,2~do repeat~local~z if~a~then return~1 \ @ ? ! & | // << >> -> __r
"""
PIECES = [piece.replace("~", " ") if piece != "~=" else piece for piece in re.findall(r"\S+", SOUP)]
PIECES += ["~", "\n", "\r\n", "\0", "\xff", "--c\n"]
TYPED_PIECES = ["type", "as", "export", "readonly", "is", "typeof(", "type A = ", ": T", "<T>", "as T", ":: {A}", "T?"]

# what the front end refuses and LuaJIT does not (spec lua-api.md §1.5, types.md §3, and the bounds that it minds)
REFUSED = ("is LuaJIT's own", "is reserved for the runtime", "nested too deeply")


def judge_like_luajit(scratch: Scratch, source: bytes) -> None:
    """Untyped sources: both accept and nothing but safepoints changes, or both refuse."""
    text, fault = scratch.translate(source)
    accepted, reason = scratch.loads(source)
    if text is None:
        assert not accepted or any(phrase in fault for phrase in REFUSED), fault
        return
    loads, why = scratch.loads(b"return function(...) " + text + b"\nend")
    assert loads, why
    body = re.sub(rb"\A(\xef\xbb\xbf)?(#[^\r\n]*)?", b"", source)
    if accepted:
        assert without_inserts(text) == body
    else:
        assert without_inserts(text) != body, reason  # accepted by us alone: only for annotations in it


@settings(max_examples=1500, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14), glue=st.sampled_from((" ", " ", "")))
def test_soups_of_tokens_are_judged_as_luajit_judges_them(scratch: Scratch, pieces: list[str], glue: str) -> None:
    judge_like_luajit(scratch, glue.join(pieces).encode("latin-1"))


@settings(max_examples=800, deadline=None)
@given(seed=SEEDS)
def test_gotos_labels_and_breaks_are_judged_as_luajit_judges_them(scratch: Scratch, seed: int) -> None:
    judge_like_luajit(scratch, jumps(random.Random(seed), 0).encode())


@settings(max_examples=400, deadline=None)
@given(seed=SEEDS)
def test_programs_with_tokens_lost_doubled_or_swapped_are_judged_as_luajit_judges_them(
    scratch: Scratch, seed: int
) -> None:
    source = mutated(written(seed).plain(), seed, PIECES)
    if not re.search(r"local\s+type\s+\w|\bas\b|\btype\s+\w", source):  # these may be annotations by now
        judge_like_luajit(scratch, source.encode("latin-1", "replace"))


@settings(max_examples=500, deadline=None)
@given(seed=SEEDS)
def test_whatever_typed_source_the_front_end_accepts_compiles(scratch: Scratch, seed: int) -> None:
    source = mutated(written(seed).typed(), seed, PIECES + TYPED_PIECES * 4).encode("latin-1", "replace")
    text, _ = scratch.translate(source)
    if text is not None:
        loads, why = scratch.loads(b"return function(...) " + text + b"\nend")
        assert loads, why
        assert text.count(b"\n") == source.count(b"\n")


@settings(max_examples=400, deadline=None)
@given(source=st.binary(max_size=60))
def test_any_bytes_get_an_answer(scratch: Scratch, source: bytes) -> None:
    judge_like_luajit(scratch, source)


def mutated(source: str, seed: int, pieces: list[str]) -> str:
    """Lose, double, swap or replace a few tokens."""
    rand = random.Random(seed)
    tokens = re.findall(r"\w+|\s+|[^\w\s]", source)
    for _ in range(rand.randint(1, 3)):
        at, other = rand.randrange(len(tokens)), rand.randrange(len(tokens))
        match rand.randrange(5):
            case 0:
                tokens[at] = ""
            case 1:
                tokens[at] += " " + tokens[at]
            case 2:
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 3:
                tokens[at] = " " + rand.choice(pieces) + " "
            case _:
                tokens[at] += " " + rand.choice(pieces) + " "
    return "".join(tokens)


def jumps(rand: random.Random, depth: int) -> str:
    """A block full of jumps, most of which lead nowhere or into the scope of a local."""
    parts = []
    for _ in range(rand.randint(0, 4)):
        inner = jumps(rand, depth + 1) if depth < 4 else ""
        parts.append(
            rand.choice(
                (
                    f"local {rand.choice('ab')}",
                    f"goto {rand.choice('klm')}",
                    f"::{rand.choice('klm')}::",
                    f"::{rand.choice('klm')}:: ;",
                    "x = a",
                    f"do {inner} end",
                    f"while a do {inner} end",
                    f"repeat {inner} until b",
                    f"for i = 1, 2 do {inner} end",
                    f"if a then {inner} else end",
                    f"f(function(...) {inner} end)",
                )
            )
        )
    parts.append(rand.choice(("", "", "", "break", "return ...", "goto k", "::k::", "::k:: ::l::")))
    return " ".join(parts)
