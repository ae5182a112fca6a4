"""`docs/lua-api.md` against what a running VM has, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from actors.vm.door import Door
from actors.vm.frontend import FrontEnd
from tests.modules.app import App
from tests.processes.harness import HERE, Node, World

PAGE = Path(__file__).parents[1] / "docs" / "lua-api.md"
MODULES = (
    *("funcs", "time", "uuid", "ctx", "events", "json", "logger", "registry", "crypto", "hash", "base64", "env", "pg"),
    *("yaml", "store", "security", "system", "io"),
)
MISSING = ("workflow", "queue", "metrics", "contract")
OF_EACH_SCRIPT = {"_G", "require"}
"""Globals that are made for each script and stand in no table of the kernel."""
STUBS = {"io.raw": "io.raw(true)", "security.token_store": 'security.token_store("app:tokens")'}
"""What is there although it is for later, and how to call it: it must say so."""
CLASSES = {"channel object": "channel", "payload object": "payload", "store object": "store"}
"""Headings that are not the name of the class, since a module has that name."""

LISTING = rb"""
local modules = ...
local object, loader, sandbox = require("object"), require("loader"), require("sandbox")
local names = {}
local function note(name) names[#names + 1] = name end

-- frozen tables are faces: what they stand for is behind them
local function walk(prefix, t)
  if object.frozen_name(t) then t = debug.getmetatable(t).__index end
  for name, value in pairs(t) do
    local is_table = type(value) == "table" and not object.class_of(value)
    if is_table and prefix ~= "package." then walk(prefix .. name .. ".", value) else note(prefix .. name) end
  end
end

for name in modules:gmatch("%S+") do
  local module = assert(loader.module(name), name)
  if not object.class_of(module) then walk(name .. ".", module) end
end
for name, value in pairs(sandbox.globals) do
  if type(value) == "table" then walk(name .. ".", value) else note(name) end
end

for class, name in pairs(object.classes) do
  local methods = class.__index
  if type(methods) == "function" then
    -- a class that looks names up: its methods are what the function holds
    local i = 1
    repeat
      local held, value = debug.getupvalue(class.__index, i)
      i = i + 1
    until held == "methods" or not held or value == nil
    _, methods = debug.getupvalue(class.__index, i - 1)
  end
  for method in pairs(methods) do note(name .. ":" .. method) end
end
return table.concat(names, "\n")
"""

SAMPLES = {
    "json.encode": "json.encode({1})",
    "json.decode": 'json.decode("[1]")',
    "json.validate": 'json.validate({type = "number"}, 1)',
    "json.validate_string": 'json.validate_string({type = "number"}, "1")',
    **{f"hash.{name}": f'hash.{name}("x")' for name in ("md5", "sha1", "sha256", "sha512", "fnv32", "fnv64")},
    **{f"hash.hmac_{name}": f'hash.hmac_{name}("x", "k")' for name in ("md5", "sha1", "sha256", "sha512")},
    "base64.encode": 'base64.encode("x")',
    "base64.decode": 'base64.decode("eA==")',
    "yaml.encode": "yaml.encode({1})",
    "yaml.decode": 'yaml.decode("1")',
    "uuid.v3": 'uuid.v3("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "x")',
    "uuid.v5": 'uuid.v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "x")',
    **{f"uuid.{name}": f'uuid.{name}("{"a" * 32}")' for name in ("validate", "version", "variant", "parse", "format")},
    "crypto.random.bytes": "crypto.random.bytes(2000)",
    "errors.new": 'errors.new("x")',
    "errors.wrap": 'errors.wrap("x", "y")',
    "payload.new": "payload.new({1})",
    "ctx.all": "ctx.all()",
    "time.now": "time.now()",
    "time.parse_duration": 'time.parse_duration("1h")',
    "time.load_location": 'time.load_location("Europe/Lisbon")',
    "time.fixed_zone": 'time.fixed_zone("x", 60)',
    "process.registry.lookup": 'process.registry.lookup("x")',
    "process.registry.register": 'process.registry.register("x")',
}
"""Calls that tell by themselves where they run: each crosses the door, or does not."""

OBJECTS = """
local g = assert(pg.open("app:group"))
local snapshot = registry.snapshot()
local ticker = time.ticker("1h")
local subscription = assert(events.subscribe("nothing"))
local objects = {
  error = {errors.new("x")},
  spawner = {process.with_context({})},
  message = {...},
  ["channel object"] = {channel.new()},
  executor = {funcs.new()},
  future = {assert(funcs.async("app:nothing"))},
  Time = {time.now()},
  Duration = {time.parse_duration("1s")},
  Location = {time.utc, time.localtz},
  Timer = {time.timer("1h")},
  Ticker = {ticker},
  subscription = {subscription, (g:events())},
  logger = {logger, logger:named("x")},
  ["payload object"] = {payload.new(1)},
  snapshot = {snapshot},
  changes = {snapshot:changes()},
  version = {registry.current_version()},
  history = {registry.history()},
  ["pg instance"] = {g},
  ["store object"] = {assert(store.get("app:kept"))},
  actor = {security.new_actor("me")},
  scope = {security.new_scope({})},
  policy = {assert(security.policy("app:policy"))},
}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One name of the page: `name` is dotted, or a method under `heading`, which says whose."""

    heading: str
    name: str
    method: bool
    state: str
    runs: str

    @property
    def key(self) -> str:
        """The name as the kernel lists it."""
        return f"{CLASSES.get(self.heading, self.heading)}:{self.name}" if self.method else self.name


def rows() -> Iterator[Row]:
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"#{2,3} (.+)", line):
            heading = found[1]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| `") or len(cells) != 5:
            continue
        for text in re.findall(r"`([^`]+)`", cells[0]):
            call = re.fullmatch(r"(?:(\w+):)?([\w.]+)(?:\(.*\))?", text)
            assert call, f"{line}: {text} is no name"
            yield Row(heading, call[2], call[1] is not None, cells[2], cells[3])


@cache
def documented() -> tuple[Row, ...]:
    return tuple(rows())


@cache
def existing() -> frozenset[str]:
    """What the kernel of a VM holds for scripts."""
    node = cast(Node, World().hosts[HERE].place())
    found: bytes = node.lua._runtime.execute(LISTING, " ".join(MODULES).encode())
    return frozenset(found.decode().splitlines())


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    policy = {"actions": "*", "resources": "*", "effect": "allow"}
    started = {"lifecycle": {"auto_start": True}}
    nothing = "return function() end"
    with App(
        {"id": "app:group", "kind": "pg.scope", "data": started},
        {"id": "app:kept", "kind": "store.memory", "data": started},
        {"id": "app:policy", "kind": "security.policy", "data": {"policy": policy}},
        {"id": "app:nothing", "kind": "function.lua", "data": {"source": nothing, "method": "main"}},
    ) as running:
        yield running


class Watched:
    """A door that notes which calls went through it."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.seen: list[bytes] = []

    def call(self, name: bytes, *args: Any) -> Any:
        self.seen.append(name)
        return self._door.call(name, *args)


def run(app: App, checks: str) -> list[str]:
    """Run `checks` in a process that names all modules, with `objects` and a list `found` to add to."""
    pid = 'process.send(process.pid(), "x", 1) local message = process.inbox():receive()'
    body = f"{pid} local function made(...) {OBJECTS} return objects end local objects, found = made(message), {{}};"
    result = app.run(f"{body} {checks} return found", modules=(*MODULES, *MISSING))
    return cast(list[str], result)


def test_the_page_has_rows_and_every_row_has_a_known_state_and_place() -> None:
    places = {"Lua", "Python", "queue", "Lua, Python", "Lua, queue", "Python, queue"}
    assert len(documented()) > 300
    for row in documented():
        assert row.state in {"works", "partly", "later"}, row
        assert row.runs in places or (row.state == "later" and row.runs == "–"), row


def test_no_name_stands_twice_on_the_page() -> None:
    keys = [row.key for row in documented()]
    assert [key for key in keys if keys.count(key) > 1] == []


def test_what_the_page_says_works_is_there_for_a_script(app: App) -> None:
    checks = []
    for row in documented():
        if row.state == "later":
            continue
        if row.method:
            checks.append(
                f'for i, o in ipairs(objects["{row.heading}"]) do if type(o) ~= "userdata" or '
                f'type(o["{row.name}"]) ~= "function" then found[#found + 1] = "{row.key} " .. i end end'
            )
        else:
            checks.append(
                f"do local ok, v = pcall(function() return {row.name} end) "
                f'if not ok or v == nil then found[#found + 1] = "{row.key}" end end'
            )
    assert run(app, "\n".join(f"do {check} end" for check in checks)) == []


def test_what_has_arguments_on_the_page_is_a_function(app: App) -> None:
    called = re.findall(r"`([a-z_]+(?:\.\w+)*)\([^`]*\)`", "".join(table_cells()))
    names = sorted(set(called) & {row.name for row in documented() if row.state != "later"})
    assert len(names) > 100
    checks = " ".join(f'if type({name}) ~= "function" then found[#found + 1] = "{name}" end' for name in names)
    assert run(app, checks) == []


def table_cells() -> list[str]:
    """The first cell of every row that begins with a name."""
    return [line.split("|")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]


def test_what_scripts_can_reach_stands_on_the_page() -> None:
    assert sorted(existing() - {row.key for row in documented()}) == []


def test_what_the_page_says_works_is_in_the_kernel_under_that_name() -> None:
    there = {row.key for row in documented() if row.state != "later"}
    assert sorted(there - existing() - OF_EACH_SCRIPT) == []


def test_what_is_for_later_is_not_there_or_says_so(app: App) -> None:
    later = {row.key for row in documented() if row.state == "later"}
    assert later & existing() == STUBS.keys()
    for name, call in STUBS.items():
        assert run(app, f"local v, err = {call} found[1], found[2] = tostring(v), err:kind()") == [
            "nil",
            "Unavailable",
        ], name


def test_modules_that_are_for_later_are_refused_by_name(app: App) -> None:
    checks = " ".join(
        f'do local ok, why = pcall(require, "{name}") found[#found + 1] = tostring(ok) .. tostring(why) end'
        for name in MISSING
    )
    assert run(app, checks) == [f"falsemodule '{name}' is not available in this release" for name in MISSING]


def test_calls_go_through_the_door_where_the_page_says_python_and_only_there() -> None:
    places = {row.key: row.runs for row in documented() if row.key in SAMPLES}
    assert places.keys() == SAMPLES.keys()
    crossed = {}
    for name, call in SAMPLES.items():
        world = World()
        door = Watched(world.door)
        world.door = cast(Door, door)
        world.main(f"{call} return true", modules=MODULES)
        crossed[name] = bool(set(door.seen) - {b"entry", b"security.strict", b"release"})
    assert {name: "Python" if across else "Lua" for name, across in crossed.items()} == places


def test_the_example_of_typed_lua_is_accepted_and_keeps_its_lines() -> None:
    text = (PAGE.parent / "typed-lua.md").read_text(encoding="utf-8")
    example = text.split("```lua\n")[1].split("```")[0]
    erased = FrontEnd().translate(example, "typed").decode()
    assert len(erased.splitlines()) == len(example.splitlines())
    assert "Order" not in erased
    assert "integer" not in erased
