"""Random scripts that may or may not keep something at their top level, for the tests of what can be shared."""

from __future__ import annotations

import random

# Few names, so that locals, parameters, loop variables and globals shadow each other all the time.
NAMES = ("a", "b", "c", "f", "g")


class Script:
    """Writes one script: a top level of locals and functions, and a `return` of `run`, `go`, or one function.

    Loops are bounded and recursion is the driver's to stop. Nothing here knows scopes: which assignment reaches the top
    level is for the front end to find out.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rare = self.random.choice((0.0, 0.0, 0.2))  # how often what is hardly ever stateless is written

    def write(self) -> str:
        r = self.random
        parts = [self.top() for _ in range(r.randint(1, 5))]
        match r.randrange(4):
            case 0:
                parts.append(f"return {self.function(0)}")
            case 1:
                parts.append(f"return {r.choice(NAMES)}")
            case _:
                parts.append(f"return {{ run = {r.choice(NAMES)}, ['go'] = {self.function(0)}, n = 1 }}")
        return "\n".join(parts)

    def top(self) -> str:
        r = self.random
        if r.random() < self.rare:
            return r.choice(
                (
                    f"local {r.choice(NAMES)} = {{ n = 0 }}",
                    f"{r.choice(NAMES)} = {r.randint(0, 9)}",
                    f"function {r.choice(NAMES)}() {self.body(1)} end",
                    f"do local {r.choice(NAMES)} = 1 end",
                    f"local {r.choice(NAMES)} = tostring(5)",
                    f"for {r.choice(NAMES)} = 1, 2 do out = 1 end",
                )
            )
        match r.randrange(4):
            case 0:
                return f"local function {self.signature(0)} end"
            case 1:
                return f"local {r.choice(NAMES)} = {self.function(0)}"
            case 2:
                return f"local {r.choice(NAMES)}, {r.choice(NAMES)} = {self.constant()}"
            case _:
                return f"local {r.choice(NAMES)} = {self.constant()}"

    def constant(self) -> str:
        r = self.random
        literals = ("nil", "true", "'s'", "lib.n", "lib.id", 'require("lib")', "require 'lib'", r.choice(NAMES))
        return r.choice((*literals, str(r.randint(0, 9)), f"{r.randint(0, 9)} + {r.randint(0, 9)} * lib.n", "'x' .. 1"))

    def signature(self, depth: int) -> str:
        r = self.random
        parameters = ", ".join(r.sample(NAMES, r.randint(0, 3)))
        return f"{r.choice(NAMES)}({parameters}) {self.body(depth)}"

    def function(self, depth: int) -> str:
        return f"function{self.signature(depth)[1:]} end"

    def body(self, depth: int) -> str:
        r = self.random
        parts = [self.statement(depth) for _ in range(r.randint(0, 3))]
        if r.random() < 0.3:
            name = r.choice(NAMES)
            return " ".join([*parts, f"{name} = num({name}) + 1 return {name}"])
        return " ".join([*parts, f"return {self.value(depth)}"])

    def value(self, depth: int) -> str:
        r = self.random
        name = r.choice(NAMES)
        choices = [name, name, f"text({name}) .. 'x'", f"text({name}) .. text({r.choice(NAMES)})", f"num({name}) + 1"]
        if depth < 2:
            choices += [self.function(depth + 1), f"text(type({name}) == 'function' and {name}(1))"]
        return r.choice(choices)

    def statement(self, depth: int) -> str:
        r = self.random
        name, other = r.choice(NAMES), r.choice(NAMES)
        value = self.value(depth + 1)
        if r.random() < self.rare:
            return r.choice(
                (
                    f"_G.{name} = num({name}) + 1 do return {name} end",
                    f"rawset(_G, '{name}', num({name}) + 1)",
                    f"function {self.signature(depth + 1)} end",
                )
            )
        plain = (
            f"local {name} = {value}",
            f"local {name}, {other} = {value}, 5",
            f"local {name} {name} = num({other}) + 1",
            f"local {name}, t = num({other}), {{}} {name}, t.x = {name} + 1, {name}",
            f"if num({name}) > 3 then local {other} = 1 {other} = {value} end",
            f"for {name} = 1, 2 do {name} = num({name}) + num({other}) end",
            f"for {name}, {other} in pairs({{ 4, 5 }}) do {other} = {value} end",
            f"repeat local {name} = 1 {name} = num({name}) + 1 until {name}",
            f"do local {name} = 0 ::l:: {name} = {name} + 1 if {name} < 3 then goto l end end",
            f"if type({name}) == 'table' then {name}.n = num({name}.n) + 1 do return {name}.n end end",
            f"lib.{name} = 1" if r.random() < 0.1 else f"local {name} = lib.n",
        )
        if depth < 2 and r.random() < 0.3:
            return f"local function {self.signature(depth + 1)} end"
        if r.random() < 0.2:
            return r.choice(
                (f"{name} = {value}", f"{name} = num({name}) + 1", f"local t = {{}} t.x, {name} = 1, {value}")
            )
        return r.choice(plain)
