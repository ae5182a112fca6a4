"""Random Lua programs that end, with their annotations kept apart, for the tests of the front end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

TYPES = (
    "integer",
    "string?",
    "app.User",
    "{number}",
    "{[string]: integer}",
    "{name: string, opt?: User, readonly x: {A | B}}",
    "(number, name: string?, ...any) -> (integer, string)",
    "Map<string, List<integer>>",
    '"a" | "b" | 42 | nil',
    "(A & B)?",
    "typeof(print)",
    "string @min(1) @pattern('^a')",
    "{\n  a: number, -- why\n  b: string;\n}",
    "() -> never",
)


@dataclass
class Program:
    """A program as pieces; those of `typed` pieces that are annotations are marked."""

    pieces: list[tuple[str, bool]] = field(default_factory=list)

    def typed(self) -> str:
        return "".join(text for text, _ in self.pieces)

    def plain(self) -> str:
        """The program without annotations, blanks in their place."""
        return "".join(
            "".join(c if c == "\n" else " " for c in text) if erased else text for text, erased in self.pieces
        )


class Writer:
    """Writes one random program.

    Programs call `out(...)` to tell what they do and `tick()` in loops, which ends a program that runs too long by an
    error. Variables are of known types for the most part, so that most programs get far.
    """

    def __init__(self, seed: int, statements: int = 25) -> None:
        self.random = random.Random(seed)
        self.program = Program()
        self.left = statements
        self.names = 0
        self.numbers: list[str] = ["base"]
        self.strings: list[str] = ["title"]
        self.functions: list[str] = []
        self.tables: list[str] = []
        self.vararg = True
        self.depth = 0

    def write(self) -> Program:
        self.put("local base, title = 7, 'seed'\n")
        while self.left > 0:
            self.statement()
        self.put(f"return {self.number()}, {self.string()}\n")
        return self.program

    def put(self, text: str) -> None:
        self.program.pieces.append((text, False))

    def note(self, text: str) -> None:
        self.program.pieces.append((text, True))

    def annotate(self, chance: float = 0.4) -> None:
        if self.random.random() < chance:
            self.note(f": {self.random.choice(TYPES)}")

    def fresh(self) -> str:
        self.names += 1
        return f"v{self.names}" if self.random.random() < 0.9 else self.random.choice(("type", "as", "goto", "is"))

    def layout(self) -> None:
        self.put(self.random.choice(("\n", "\n", "\n", " ", ";\n", " -- note end do\n", " --[==[ repeat\n ]] ]==] ")))

    def number(self, depth: int = 0) -> str:
        r = self.random
        if depth > 3 or r.random() < 0.35:
            return r.choice([*self.numbers, str(r.randint(0, 9)), "0x1F", "1e2", ".5", "2.5"])
        choice = r.randrange(9)
        a = self.number(depth + 1)
        b = self.number(depth + 1)
        if choice < 4:
            return f"{a} {r.choice('+-*')} {b}"
        if choice == 4:
            return f"({a}) % 7"
        if choice == 5:
            return f"#({self.string(depth + 1)})"
        if choice == 6:
            return f"({self.condition(depth + 1)} and {a} or {b})"
        if choice == 7 and self.functions:
            return f"({r.choice(self.functions)}({a}, {b}))"
        if choice == 8 and self.tables:
            return f"({r.choice(self.tables)}.n or {a})"
        return f"- {a}"

    def string(self, depth: int = 0) -> str:
        r = self.random
        if depth > 3 or r.random() < 0.5:
            literals = (
                '"a\\nb"',
                "'do end'",
                "[[long\n]==] repeat]]",
                "[=[ ]] ]=]",
                '"\\x41\\u{20AC}\\z\n  z"',
                '"\\065"',
            )
            return r.choice([*self.strings, *literals])
        if r.random() < 0.5:
            return f"({self.string(depth + 1)}) .. ({self.number(depth + 1)})"
        return f"({self.string(depth + 1)}):sub({self.number(depth + 1)}, 9)"

    def condition(self, depth: int = 0) -> str:
        r = self.random
        a, b = self.number(depth + 1), self.number(depth + 1)
        plain = f"{a} {r.choice(('<', '<=', '>', '>=', '==', '~='))} {b}"
        return f"not ({plain})" if r.random() < 0.2 else plain

    def cast(self) -> None:
        r = self.random
        if r.random() < 0.3:
            self.note(r.choice((" as ", " :: ")) + r.choice(TYPES))
        elif r.random() < 0.1:
            self.note("!")

    def block(self, most: int = 3) -> None:
        kept = [list(names) for names in (self.numbers, self.strings, self.functions, self.tables)]
        self.depth += 1
        self.put(self.random.choice((" ", "\n")))
        for _ in range(self.random.randint(0, most)):
            self.statement()
        self.depth -= 1
        self.numbers, self.strings, self.functions, self.tables = kept

    def statement(self) -> None:
        self.left -= 1
        simple = (self.local, self.local, self.assign, self.tell, self.table, self.alias, self.fail)
        nested = (
            self.if_,
            self.while_,
            self.repeat,
            self.numeric_for,
            self.generic_for,
            self.function,
            self.closure,
            self.continue_loop,
            self.method,
            self.backward_goto,
            self.guarded,
        )
        kind = self.random.choice(simple if self.depth > 4 or self.random.random() < 0.55 else nested)
        kind()
        if kind != self.alias:
            self.layout()

    def local(self) -> None:
        name = self.fresh()
        value, kept = (self.number(), self.numbers) if self.random.random() < 0.7 else (self.string(), self.strings)
        self.put(f"local {name}")
        self.annotate()
        self.put(f" = {value}")
        self.cast()
        for names in (self.numbers, self.strings, self.functions, self.tables):
            if name in names:
                names.remove(name)
        kept.append(name)

    def assign(self) -> None:
        self.put(f"{self.random.choice(self.numbers)} = ({self.number()}) % 1000")

    def tell(self) -> None:
        self.put(self.random.choice((f"out({self.number()}", f"out(({self.string()})")))
        if self.program.pieces[-1][0].startswith("out(("):
            self.cast()
        self.put(")")
        if self.vararg and self.random.random() < 0.3:
            self.put(" out(select('#', ...), (...))")

    def table(self) -> None:
        name = f"t{self.names}"
        self.names += 1
        self.put(f"local {name} = {{ n = {self.number()}, {self.number()}; [ {self.string()} ] = {self.number()}, }}")
        self.tables.append(name)

    def alias(self) -> None:
        form = self.random.choice(("type Name{} = {}", "export type Name{}<A, B> = {}", "local type Name{} = {};"))
        self.note(form.format(self.names, self.random.choice(TYPES)))
        self.put("\n")

    def fail(self) -> None:
        wrong = ("error('boom')", "out(nothing.field)", "out(base + {})", "error({})", "title.x.y = 1", "base()")
        if self.random.random() < 0.15:
            self.put(self.random.choice(wrong))
        else:
            self.put("out(pcall(function() " + self.random.choice(wrong) + " end))")

    def if_(self) -> None:
        self.put(f"if {self.condition()} then")
        self.block()
        if self.random.random() < 0.4:
            self.put(f"elseif {self.condition()} then")
            self.block()
        if self.random.random() < 0.5:
            self.put("else")
            self.block()
        self.put("end")

    def while_(self) -> None:
        name = f"w{self.names}"
        self.names += 1
        self.put(f"local {name} = 0 while {name} < {self.random.randint(1, 5)} do {name} = {name} + 1 tick()")
        self.block()
        self.put(self.random.choice(("", f"if {self.condition()} then break end ")) + "end")

    def repeat(self) -> None:
        name = f"r{self.names}"
        self.names += 1
        self.put(f"local {name} = 0 repeat local seen = {name} tick() {name} = {name} + 1")
        self.block()
        self.put(f"until seen > {self.random.randint(0, 3)}")

    def numeric_for(self) -> None:
        name = f"i{self.names}"
        self.names += 1
        self.put(f"for {name}")
        self.annotate()
        self.put(f" = 1, {self.random.randint(0, 4)}{self.random.choice(('', ', 1', ', 2'))} do tick()")
        self.numbers.append(name)
        self.block()
        self.put("end")
        self.numbers.remove(name)

    def generic_for(self) -> None:
        self.put("for k")
        self.annotate()
        self.put(", v")
        self.annotate()
        self.put(f" in ipairs({{ {self.number()}, {self.number()} }}) do tick() out(k, v)")
        self.block()
        self.put("end")

    def continue_loop(self) -> None:
        limit = self.random.randint(1, 5)
        self.put(f"for i = 1, {limit} do tick() if {self.condition()} then goto continue end")
        self.block(2)
        self.put(f"local last = {self.number()} out(last) ::continue:: end")

    def backward_goto(self) -> None:
        name = f"g{self.names}"
        self.names += 1
        self.put(f"do local {name} = 0 ::again:: {name} = {name} + 1")
        self.block(2)
        self.put(f"if {name} < {self.random.randint(1, 4)} then goto again end end")

    def body(self) -> None:
        kept, self.vararg = self.vararg, self.random.random() < 0.5
        names = [f"a{self.names}", f"b{self.names}"]
        self.names += 1
        if self.random.random() < 0.2:
            self.note("<T, U: string>")
        self.put(f"({names[0]}")
        self.annotate()
        self.put(f", {names[1]}")
        self.annotate()
        if self.vararg:
            self.put(", ...")
            self.annotate()
        self.put(")")
        if self.random.random() < 0.4:
            self.note(self.random.choice((": integer", ": (A, B?)", ": never", f": {names[0]} is T", ": (A) -> ()")))
        inner = Writer.__new__(Writer)
        inner.__dict__ = dict(self.__dict__)
        inner.numbers = [*self.numbers]
        self.put(f" {names[0]} = tonumber({names[0]}) or 0 {names[1]} = tonumber({names[1]}) or 0 tick()")
        inner.numbers += names
        inner.block()
        self.left, self.names = inner.left, inner.names
        self.put(f"return {inner.number()}")
        if self.random.random() < 0.2:
            self.put(", ...") if self.vararg else self.cast()
        self.put(" end")
        self.vararg = kept

    def function(self) -> None:
        name = f"f{self.names}"
        self.names += 1
        self.put(f"local function {name}")
        self.body()
        self.functions.append(name)

    def closure(self) -> None:
        name = f"c{self.names}"
        self.names += 1
        self.put(f"local {name} = function")
        self.body()
        self.functions.append(name)

    def method(self) -> None:
        name = f"o{self.names}"
        self.names += 1
        self.put(f"local {name} = {{ n = {self.number()} }} function {name}:step")
        self.body()
        self.put(f" out({name}:step({self.number()}, {self.number()}))")

    def guarded(self) -> None:
        self.put("out(pcall(function")
        self.body()
        self.put(f", {self.number()}, 2, 'x'))")
