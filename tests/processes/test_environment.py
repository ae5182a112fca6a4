"""What a script finds (spec lua-api.md §1, §3, §12): globals, require, what is removed, print, errors, logger."""

from __future__ import annotations

import pytest

from actors.errors import ProcessError
from tests.processes.harness import World

GLOBALS = [
    "process",
    "channel",
    "payload",
    "errors",
    "coroutine",
    "table",
    "string",
    "math",
    "os",
    "print",
    "subscribe",
    "unsubscribe",
    "require",
    "package",
    "assert",
    "error",
    "pcall",
    "xpcall",
    "type",
    "tonumber",
    "tostring",
    "pairs",
    "ipairs",
    "next",
    "select",
    "unpack",
    "rawget",
    "rawset",
    "rawequal",
    "getmetatable",
    "setmetatable",
    "_G",
    "_VERSION",
]

REMOVED = [
    "load",
    "loadstring",
    "loadfile",
    "dofile",
    "collectgarbage",
    "rawlen",
    "io",
    "debug",
    "utf8",
    "ffi",
    "jit",
    "bit",
    "newproxy",
    "getfenv",
    "setfenv",
    "module",
    "gcinfo",
    "python",
    "package.loadlib",
    "string.dump",
    "string.pack",
    "os.execute",
    "os.exit",
    "os.getenv",
    "os.remove",
    "os.rename",
    "os.tmpname",
    "os.setlocale",
]


@pytest.mark.parametrize("name", GLOBALS)
def test_a_global_is_there_without_require(world: World, name: str) -> None:
    assert world.main(f"return {{{name} ~= nil, _G.{name} == {name}}}") == [True, True]


@pytest.mark.parametrize("name", REMOVED)
def test_what_is_removed_is_gone(world: World, name: str) -> None:
    assert world.main(f"return {name} == nil") is True


@pytest.mark.parametrize(
    "name", ["ffi", "jit", "bit", "io", "debug", "table.new", "string.buffer", "state", "kernel", "time", "hash"]
)
def test_require_finds_only_what_is_listed(world: World, name: str) -> None:
    assert world.main(f"local ok, err = pcall(require, '{name}') return {{ok, err}}", modules=())[0] is False
    text = world.main(f"local ok, err = pcall(function() local x = require('{name}') end) return err", modules=())
    assert f"app:main:1: module '{name}' not found" in text


@pytest.mark.parametrize(
    "name", ["process", "channel", "payload", "errors", "os", "string", "table", "math", "coroutine"]
)
def test_globals_can_be_required(world: World, name: str) -> None:
    assert world.main(f"return require('{name}') == {name}", modules=()) is True


def test_listed_modules_are_globals_and_the_same_by_require(world: World) -> None:
    assert world.main(
        "return {time == require('time'), require('time') == require('time'), type(json)}",
        modules=("time", "json", "process"),
    ) == [
        True,
        True,
        "table",
    ]


def test_libraries_run_once_a_process_imported_ones_first(world: World) -> None:
    world.script("app:deep", "print('deep') return {n = 0}", kind="library.lua")
    world.script(
        "app:lib",
        "print('lib') local d = require('d') return {d = d, up = function() d.n = d.n + 1 return d.n end}",
        kind="library.lua",
        imports={"d": "app:deep"},
    )
    result = world.main(
        "return {lib.up(), lib.up(), require('lib') == lib, direct.n, lib.d == direct, pcall(require, 'd') == false}",
        imports={"lib": "app:lib", "direct": "app:deep"},
    )
    assert result == [1, 2, True, 2, True, True]
    assert world.printed() == ["deep", "lib"]
    assert world.exec("app:main")[:2] == [1, 2]


def test_a_library_that_returns_nothing_counts_as_true(world: World) -> None:
    world.script("app:lib", "local x = 1", kind="library.lua")
    assert world.main("return require('lib')", imports={"lib": "app:lib"}) is True


def test_libraries_of_a_library_are_not_visible_in_its_importer(world: World) -> None:
    world.script("app:deep", "return 1", kind="library.lua")
    world.script("app:lib", "return require('d')", kind="library.lua", imports={"d": "app:deep"}, modules=("json",))
    assert world.main("return {lib, d == nil, json == nil}", imports={"lib": "app:lib"}, modules=()) == [1, True, True]


def test_a_library_that_raises_fails_the_start(world: World) -> None:
    world.script("app:lib", "\nerror('broken')", kind="library.lua")
    with pytest.raises(ProcessError, match=r"failed to execute script app:lib.*app:lib:2: broken"):
        world.main("return 1", imports={"lib": "app:lib"})


def test_processes_share_no_globals_and_no_library_state(world: World) -> None:
    world.script("app:lib", "return {n = 0}", kind="library.lua")
    body = "lib.n = lib.n + 1 counter = (counter or 0) + 1 _G.other = 5 return {lib.n, counter}"
    assert [world.main(body, imports={"lib": "app:lib"}) for _ in range(2)] == [[1, 1], [1, 1]]


def test_a_script_may_return_one_function(world: World) -> None:
    world.script("app:fn", "return function(a) return a + 1 end", method="whatever")
    assert world.exec("app:fn", 1) == 2


@pytest.mark.parametrize(
    ("source", "kind"), [("return 5", "Invalid"), ("", "Invalid"), ("return {main = 5}", "NotFound")]
)
def test_other_results_of_a_script_fail_the_start(world: World, source: str, kind: str) -> None:
    world.script("app:bad", source)
    with pytest.raises(ProcessError) as caught:
        world.exec("app:bad")
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    "name",
    [
        "string",
        "table",
        "math",
        "coroutine",
        "process",
        "channel",
        "errors",
        "payload",
        "os",
        "time",
        "process.registry",
        "process.event",
    ],
)
@pytest.mark.parametrize(
    "how", ["{}.x = 1", "rawset({}, 'x', 1)", "table.insert({}, 1)", "setmetatable({}, {{}})", "table.sort({}, print)"]
)
def test_libraries_cannot_be_changed(world: World, name: str, how: str) -> None:
    changed = how.format(name)
    assert world.main(f"local ok = pcall(function() {changed} end) return {{ok, {name}.x == nil, #{name}}}") == [
        False,
        True,
        0,
    ]


def test_the_string_metatable_cannot_be_reached(world: World) -> None:
    assert world.main(
        "local s = '' return {getmetatable('') == false, (pcall(function() s.x = 1 end)), (pcall(setmetatable, "
        "'', {})), ('x'):rep(3)}"
    ) == [True, False, False, "xxx"]


@pytest.mark.parametrize(
    "made",
    ["channel.new()", "errors.new('x')", "process.inbox()", "time.now()", "process.with_context({})", "payload.new(1)"],
)
def test_runtime_objects_are_userdata_with_a_locked_metatable(world: World, made: str) -> None:
    assert world.main(
        f"""
        local o = {made}
        return {{type(o), getmetatable(o) == false, (pcall(setmetatable, o, {{}})), (pcall(function() o.field = 1 end)),
          (pcall(rawset, o, 1, 2)), (pcall(table.insert, o, 1))}}
        """
    ) == ["userdata", True, False, False, False, False]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("math.type(1)", "integer"),
        ("math.type(1.5)", "float"),
        ("math.type('1') == nil", True),
        ("math.tointeger(3.0)", 3),
        ("math.tointeger(3.5) == nil", True),
        ("math.ult(1, -1)", True),
        ("math.maxinteger", 2**53 - 1),
        ("math.mininteger", -(2**53) + 1),
        ("table.unpack == unpack", True),
        ("table.pack(1, nil, 3).n", 3),
        ("tostring(2^53)", "9007199254740992"),
        ("tostring(123456789012345)", "123456789012345"),
        ("tostring(1e15)", "1000000000000000"),
        ("tostring(3.0)", "3"),
        ("tostring(0.1)", "0.1"),
        ("tostring(-2^53)", "-9007199254740992"),
        ("('%d'):format(2^53)", "9007199254740992"),
        ("'\\x41\\z  B'", "AB"),
        ("(function() for i = 1, 3 do if i == 2 then goto on end ::on:: end return 'goto' end)()", "goto"),
        ("select(2, xpcall(function(a) return a end, print, 7))", 7),
        ("_VERSION", "Lua 5.1"),
    ],
)
def test_the_language_is_as_it_is_told(world: World, code: str, value: object) -> None:
    assert world.main(f"return ({code})") == value


def test_random_numbers_are_of_the_process(world: World) -> None:
    body = "math.randomseed(5) local list = {} for i = 1, 5 do list[i] = math.random(1000) end return list"
    first = world.main(body)
    assert world.main(body) == first
    world.process("noise", "for i = 1, 100 do math.random() end process.exec('app:quiet', 'app:here') return 1")
    world.process("quiet", body)
    assert world.exec("app:quiet") == first


def test_print_joins_with_one_blank_and_tells_where(world: World) -> None:
    world.main("print('a', 1, nil, true, {} ~= nil, 2^53)\nprint()\nreturn 1")
    records = [record for record in world.logs if record[1] == "print"]
    assert [(level, text) for level, _, text, _ in records] == [
        ("info", "a 1 nil true true 9007199254740992"),
        ("info", ""),
    ]
    assert [fields["location"] for _, _, _, fields in records] == ["app:main:1", "app:main:2"]
    assert records[0][3]["pid"].startswith("{app:here|0x")
    assert world.main("return select('#', print('x'))") == 0


def test_print_shows_errors_and_objects_with_a_tostring(world: World) -> None:
    world.main("print(errors.new('m'), setmetatable({}, {__tostring = function() return 'own' end}))")
    assert world.printed() == ["m own"]


# errors


def test_errors_have_their_fields(world: World) -> None:
    assert world.main(
        """
        local a = errors.new("text")
        local b = errors.new{message = "m", kind = errors.TIMEOUT, retryable = true, details = {x = 1}}
        local c = errors.new("NOT_FOUND", "with kind")
        local d = errors.new("some", "ignored")
        return {a:kind(), a:message(), a:retryable() == nil, a:details() == nil, b:kind(), b:retryable(), b:details().x,
          c:kind(), c:message(), d:kind(), d:message(), tostring(b), a:stack() ~= ""}
        """
    ) == ["", "text", True, True, "Timeout", True, 1, "NotFound", "with kind", "", "some", "m", True]


def test_wrapping_changes_the_text_only(world: World) -> None:
    assert world.main(
        """
        local inner = errors.new{message = "inner", kind = "Conflict", retryable = false, details = {x = 1}}
        local e = errors.wrap(errors.wrap(inner, "near"), "far")
        local s = errors.wrap("plain", "ctx")
        return {tostring(e), e:message(), e:kind(), e:retryable(), e:details().x, tostring(s), s:message(),
          tostring(inner)}
        """
    ) == ["far: near: inner", "inner", "Conflict", False, 1, "ctx: plain", "plain", "inner"]


def test_is_and_call_stack_take_anything(world: World) -> None:
    assert world.main(
        """
        local e = errors.new{message = "m", kind = errors.INVALID}
        local stack = errors.call_stack(e)
        return {errors.is(e, errors.INVALID), errors.is(e, "x"), errors.is(nil, "Invalid"), errors.is("Invalid",
          "Invalid"),
          errors.call_stack("x") == nil, stack.frames[1].source, stack.frames[1].line > 0, type(stack.thread)}
        """
    ) == [True, False, False, False, True, "app:main", True, "string"]


@pytest.mark.parametrize(
    "call",
    [
        "errors.new()",
        "errors.new({})",
        "errors.new({message = 5})",
        "errors.new(5)",
        "errors.wrap(nil, 'x')",
        "errors.wrap('x')",
    ],
)
def test_bad_arguments_of_errors_raise_at_the_caller(world: World, call: str) -> None:
    result = world.main(f"local ok, err = pcall(function() local x = {call} end) return {{ok, tostring(err)}}")
    assert result[0] is False
    assert result[1].startswith("app:main:1:")


def test_raised_errors_come_back_unchanged_and_texts_with_their_place(world: World) -> None:
    assert world.main(
        """
        local e = errors.new("m")
        local a, raised = pcall(error, e)
        local b, text = pcall(function() error("text") end)
        return {raised == e, raised:message(), text}
        """
    ) == [True, "m", "app:main:4: text"]


def test_errors_can_be_used_as_text(world: World) -> None:
    assert world.main(
        """
        local e = errors.new("some text")
        return {(string.find(e, "text")), (e:find("text")), "a " .. e, e .. " b", string.upper(e), #tostring(e),
          (string.match(e, "%a+"))}
        """
    ) == [6, 6, "a some text", "some text b", "SOME TEXT", 9, "some"]


# logger


def test_the_logger_tells_level_name_fields_and_place(world: World) -> None:
    world.main(
        """
        local log = logger:named("a"):named("b"):with{x = 1, y = 1}:with{y = 2}
        log:debug("d") log:info("i", {z = 3}) log:warn("w", "ignored") log:error("e", {x = 9})
        logger:info("plain")
        return 1
        """
    )
    records = [
        (level, name, text, {k: v for k, v in fields.items() if k in "xyz"}) for level, name, text, fields in world.logs
    ]
    assert records == [
        ("debug", "a.b", "d", {"x": 1, "y": 2}),
        ("info", "a.b", "i", {"x": 1, "y": 2, "z": 3}),
        ("warn", "a.b", "w", {"x": 1, "y": 2}),
        ("error", "a.b", "e", {"x": 9, "y": 2}),
        ("info", "", "plain", {}),
    ]
    assert world.logs[0][3]["location"] == "app:main:3"
    assert world.logs[4][3]["location"] == "app:main:4"
    assert "pid" in world.logs[0][3]


def test_an_error_field_is_logged_with_kind_and_stack(world: World) -> None:
    world.main("logger:error('x', {error = errors.new{message = 'm', kind = 'Conflict'}})")
    fields = world.logs[0][3]
    assert (fields["error"], fields["error_kind"]) == ("m", "Conflict")
    assert "app:main:1" in fields["error_stack"]


@pytest.mark.parametrize(
    "fields",
    [
        "{f = print}",
        "{c = channel.new()}",
        "{t = {print}}",
        "(function() local t = {} t.t = t return t end)()",
        "{[1] = 2, [true] = 3}",
    ],
)
def test_fields_that_cannot_cross_do_not_lose_the_record(world: World, fields: str) -> None:
    world.main(f"logger:info('kept', {fields}) process.send(process.pid(), 't', {{1}})")
    assert [text for _, _, text, _ in world.logs] == ["kept"]


@pytest.mark.parametrize(
    "call", ["logger:named('')", "logger:named(5)", "logger:info()", "logger:info({})", "logger.info('x')"]
)
def test_bad_arguments_of_the_logger_raise_at_the_caller(world: World, call: str) -> None:
    result = world.main(f"local ok, err = pcall(function() {call} end) return {{ok, tostring(err)}}")
    assert result[0] is False
    assert result[1].startswith("app:main:1:")


def test_a_table_inside_a_module_cannot_be_changed_for_others(world: World) -> None:
    body = "local ok = pcall(function() crypto.random.uuid = function() return 'evil' end end) return ok"
    assert world.exec(world.process("changes", body, modules=["crypto"])) is False
    assert world.exec(world.process("asks", "return #crypto.random.uuid()", modules=["crypto"])) == 36
