"""Annotations are recognized, checked for their form, and leave blanks (spec types.md)."""

from __future__ import annotations

import pytest
from instrumented import without_inserts

from actors.vm.frontend import FrontEnd, SourceError


@pytest.fixture(scope="module")
def front() -> FrontEnd:
    return FrontEnd()


def erased(front: FrontEnd, source: str) -> str:
    return without_inserts(front.translate(source, "f.lua")).decode()


def fault(front: FrontEnd, source: str) -> str:
    with pytest.raises(SourceError) as caught:
        front.translate(source, "f.lua")
    return str(caught.value)


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("local x: T = e", "local x = e"),
        ("local a: T, b: U = e1, e2", "local a , b = e1, e2"),
        ("local a: T", "local a"),
        ("function f(a: T, b: U?, ...: V) end", "function f(a , b , ... ) end"),
        ("function f(a): T return a end", "function f(a) return a end"),
        ("function f(a): (T, U?) return a end", "function f(a) return a end"),
        ("function f(a): () g() end", "function f(a) g() end"),
        ("function f(a): ...T g() end", "function f(a) g() end"),
        ("function f(a): never error(a) end", "function f(a) error(a) end"),
        ("function f(a): a is string return a end", "function f(a) return a end"),
        ("function f(a): (T) -> (U, V) return a end", "function f(a) return a end"),
        ("function id<T>(x: T): T return x end", "function id (x ) return x end"),
        ("local function id<T: Bound, U>(x: T) end", "local function id (x ) end"),
        ("f = function<T>(x: T): {T} return {x} end", "f = function (x ) return {x} end"),
        ("function m.a:b<T>(x: T) end", "function m.a:b (x ) end"),
        ("for i: integer = 1, n do end", "for i = 1, n do end"),
        ("for k: string, v: T in pairs(t) do end", "for k , v in pairs(t) do end"),
        ("type Name = T", ""),
        ("type Name<A, B> = Map<A, B>; f()", "f()"),
        ("export type Name = {a: T} f()", "f()"),
        ("local type Name = T f()", "f()"),
        ("type Name<A>= T", ""),
        ("x = e as T", "x = e"),
        ("x = e :: T", "x = e"),
        ("x = e as T as U :: V", "x = e"),
        ("x = f(a as T, b :: U)", "x = f(a , b )"),
        ("x = (a as T).b", "x = (a ).b"),
        ("x = a as T + b :: U * 2 .. c", "x = a + b * 2 .. c"),
        ("if a as T and b! then end", "if a and b then end"),
        ("x = a as number < 5 and y", "x = a < 5 and y"),
        ("x = a as List<A, B>", "x = a"),
        ("f(a as A < b, c > d)", "f(a < b, c > d)"),
        ("x = 'a' as \"a\" | 'b'", "x = 'a'"),
        ("x = a!.b!:c()!.d", "x = a .b :c() .d"),
        ("a!.b = c!", "a .b = c"),
        ("f()!", "f()"),
        ("return t as {T}, {x = y as U; [z :: V] = 1}", "return t , {x = y ; [z ] = 1}"),
    ],
)
def test_each_place_of_an_annotation_is_known(front: FrontEnd, source: str, expected: str) -> None:
    result = erased(front, source)
    assert squeezed(result) == expected
    assert len(result) == len(source)


@pytest.mark.parametrize(
    "type_",
    [
        "app.User",
        "a.b.c",
        "T?",
        "T??",
        "T | U",
        "| T | U",
        "T & U & V",
        '"a" | "b"',
        "42",
        "-1",
        "true | false | nil",
        "{T}",
        "{}",
        "{[K]: V}",
        "{[string]: {[integer]: T}}",
        "{name: string, opt?: U, readonly x: T}",
        "{name: string; opt?: U;}",
        "{readonly: T, readonly readonly: U, type: V, as: W, is: X}",
        "{readonly [string]: T}",
        "() -> T",
        "(T, name: U, ...V) -> R",
        "(T) -> (R, S)",
        "(T) -> ()",
        "(T) -> (U) -> V",
        "((T) -> U)?",
        "(T | U)?",
        "((T))",
        "(...) -> ...T",
        "(x: T) -> x is U",
        "Name<T>",
        "Name<T, Map<K, List<V>>>",
        "a.Name<T>",
        "typeof(x)",
        "typeof(f(1, {a = 2}).b)",
        "typeof(function(a: T): U while a do goto c ::c:: end end)",
        "T @name",
        "string @min(1) @max(10) @pattern('^(a|b)$')",
        "{a: number @min(0), b: T @x?}",
        "{\n  a: T, -- why\n  b: U,\n}",
        "A |\n  B --[[ or ]] | C",
    ],
)
def test_each_form_of_a_type_is_known_wherever_types_stand(front: FrontEnd, type_: str) -> None:
    blanks = "".join(c if c == "\n" else " " for c in type_)
    for before, after in (
        ("local x: ", " = 1"),
        ("local function f(x: ", ") end"),
        ("f(x as ", ")"),
        ("f(x :: ", ", y)"),
        ("type Name = ", "\nf()"),
        ("for k: ", ", v in g() do end"),
    ):
        result = erased(front, before + type_ + after)
        assert result.endswith(blanks + after)
        assert result.count("\n") == (type_ + after).count("\n")


@pytest.mark.parametrize(
    "source",
    [
        "type(x)",
        "local type = 1",
        "local type, as = 1, 2",
        "local type\nName = 5",
        "local type goto x ::x::",
        "type = 5",
        "type\n= 5",
        "type.x, type[1] = 1, 2",
        "x = type\ny = 1",
        "return t.as, t.type, t.is, t.export, t.readonly, t.typeof",
        "as = 2",
        "local x = y as = 2",
        "local x = y\nas(2)",
        "local x = y\nas{2}",
        "x = y as.z = 1",
        "x = y as, b = 1, 2",
        "as:f()",
        "return as",
        "export = 1",
        "export(type)",
        "local export, readonly, is, typeof",
        "is = readonly",
        "typeof(x)",
        "::l:: goto l",
        "x = y ::l:: f() goto l",
        "f() ::l:: ::m::",
        "x = a < b",
        "x = a < b and c > d",
        "x = a >= b",
        "t = {[1] = 2, a = 3; 4}",
        "a:b():c 'x'",
        "x = a - -b .. -c",
    ],
)
def test_unannotated_sources_stay_byte_for_byte(front: FrontEnd, source: str) -> None:
    assert erased(front, source) == source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("local x = y as T (f)()", "local x = y ;    (f)()"),
        ("local x = y as T<A> -- c\n(f or g)()", "local x = y ;       -- c\n(f or g)()"),
        ("x = y :: T\n(f)()", "x = y ;   \n(f)()"),
        ("x = f type A = B\n(g)()", "x = f ;         \n(g)()"),
        ("x = f type A = B; (g)()", "x = f ;           (g)()"),
        ("x = f; type A = B\n(g)()", "x = f;           \n(g)()"),
        ("type A = B\n(g)()", "          \n(g)()"),
        ("while a do type A = B (g)() end", "while a do            (g)() end"),
        ("function f(): T (g)() end", "function f()    (g)() end"),
        ("local x: T\n(f)()", "local x;  \n(f)()"),
    ],
)
def test_a_parenthesis_after_an_annotation_does_not_become_a_call(front: FrontEnd, source: str, expected: str) -> None:
    assert erased(front, source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("local x:", "f.lua:1:9: unexpected '<eof>', expected a type near '<eof>'"),
        ("local x: = 5", "f.lua:1:10: unexpected '=', expected a type near 'local x: ='"),
        ("local x: {T", "f.lua:1:12: '}' expected (to close '{' at line 1) near '<eof>'"),
        ("local x: A<B", "f.lua:1:13: '>' expected (to close '<' at line 1) near '<eof>'"),
        ("local x: T |", "f.lua:1:13: unexpected '<eof>', expected a type near '<eof>'"),
        ("local x: a. = 1", "f.lua:1:13: unexpected '=', expected a name near 'local x: a. ='"),
        ("local x: {a: } = 1", "f.lua:1:14: unexpected '}', expected a type near 'local x: {a: }'"),
        ("local x: T @ = 1", "f.lua:1:14: unexpected '=', expected a name near 'local x: T @ ='"),
        (
            "local x: (A, B) = 1",
            "f.lua:1:17: unexpected '=', expected '->' and the return type of a function type near 'local x: (A, B) ='",
        ),
        ("function f(a: ) end", "f.lua:1:15: unexpected ')', expected a type near 'function f(a: )'"),
        ("function f(): end", "f.lua:1:15: unexpected 'end', expected a type near 'function f(): end'"),
        ("function f<>() end", "f.lua:1:12: unexpected '>', expected a name near 'function f<>'"),
        ("type A", "f.lua:1:7: unexpected '<eof>', expected '=' and the type that 'A' stands for near '<eof>'"),
        ("type A =\n", "f.lua:2:1: unexpected '<eof>', expected a type near '<eof>'"),
        ("x = y as", "f.lua:1:9: unexpected '<eof>', expected a type near '<eof>'"),
        ("x = y as end", "f.lua:1:10: unexpected 'end', expected a type near 'x = y as end'"),
        ("f(x ::)", "f.lua:1:7: unexpected ')', expected a type near 'f(x ::)'"),
        ("x! = 5", "f.lua:1:1: cannot assign to this: only a variable or a field can stand before '='"),
        ("local x: 1LL = 5", "f.lua:1:10: the literal '1LL' is LuaJIT's own and not available: numbers are doubles"),
    ],
)
def test_a_malformed_annotation_is_a_fault_with_its_place(front: FrontEnd, source: str, expected: str) -> None:
    assert fault(front, source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "type User = {a: T}\nlocal u = User({})",
        "type User = {a: T}\nlocal u = f(User)",
        "type User = {a: T}\nlocal u = User:is(x)",
        "type User = {a: T} local function f() return\n User end",
        "do local User end type User = {a: T} f(\nUser)",
    ],
)
def test_a_type_name_used_as_a_value_is_told(front: FrontEnd, source: str) -> None:
    message = fault(front, source)
    assert message.startswith("f.lua:2:")
    assert message.endswith("'User' is a type: types as values at run time are not available yet")


@pytest.mark.parametrize(
    "source",
    [
        "local User = require('user') type User = {} User.new()",
        "type User = {} local User = 1 return User",
        "type User = {} function User() end return User()",
        "type User = {} User = 1 return User",
        "type User = {} function f(User) return User end",
        "type User = {} return t.User, t:User(), {User = 1}",
        "do type User = {} end return User",
        "type User = {} local x: typeof(User) = x as User",
        "type error = {} error('x')",
    ],
)
def test_a_name_that_is_a_value_too_stays_usable(front: FrontEnd, source: str) -> None:
    assert front.translate(source, "f.lua")


def test_names_in_an_erased_expression_are_not_captured(front: FrontEnd) -> None:
    names = [f"v{i}" for i in range(80)]
    source = f"local {', '.join(names)} function f() local x: typeof(g({', '.join(names)})) = 1 end"
    assert erased(front, source).endswith("= 1 end")


def test_an_alias_after_a_label_does_not_change_what_the_label_ends(front: FrontEnd) -> None:
    assert squeezed(erased(front, "do goto l; local a; ::l:: type A = B; end")) == "do goto l; local a; ::l:: end"
