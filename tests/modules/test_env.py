"""The module `env` (spec lua-api.md §19, registry.md §10.8)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actors import ProcessError
from tests.modules.app import App, process


def variable(name: str, storage: str, **data: object) -> dict[str, object]:
    return {"id": f"app:{name}", "kind": "env.variable", "data": {"storage": storage, **data}}


ENTRIES = (
    {"id": "app:memory", "kind": "env.storage.memory", "data": {}},
    {"id": "app:os", "kind": "env.storage.os", "data": {}},
    {"id": "app:static", "kind": "env.storage.static", "data": {"values": {"FIXED": "stone"}}},
    variable("town", "app:os", variable="HOME_TOWN"),
    variable("fixed", "app:static", variable="FIXED"),
    variable("colour", "app:memory", variable="COLOUR", default="blue"),
    variable("locked", "app:memory", variable="LOCKED", default="x", readonly=True),
    variable("unset", "app:memory", variable="UNSET"),
    variable("private", "app:memory", default="hidden"),
)


@pytest.fixture
def app() -> Iterator[App]:
    with App(*ENTRIES) as running:
        yield running


def test_get_finds_by_public_name_by_own_namespace_and_by_id(app: App) -> None:
    assert app.run(
        """
        return {env.get("HOME_TOWN"), env.get("town"), env.get("app:town"), env.get("private"), env.get("COLOUR"),
          (select(2, env.get("FIXED")))}
        """
    ) == ["Porto", "Porto", "Porto", "hidden", "blue"]


def test_set_shows_in_every_process_and_in_python(app: App, place: str) -> None:
    assert app.run('local ok, err = env.set("COLOUR", "red") return {ok, err == nil}') == [True, True]
    assert app.run('return env.get("app:colour")', host=place) == "red"
    assert app.registry.environment.get("COLOUR") == "red"


def test_get_all_leaves_out_what_is_unset_and_what_has_no_public_name(app: App) -> None:
    expected = {"HOME_TOWN": "Porto", "FIXED": "stone", "COLOUR": "blue", "LOCKED": "x"}
    assert app.run("local all, err = env.get_all() return {all, err == nil}") == [expected, True]


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ('env.get("")', "Invalid"),
        ('env.set("", "x")', "Invalid"),
        ('env.get("NOBODY")', "NotFound"),
        ('env.get("UNSET")', "NotFound"),
        ('env.set("NOBODY", "x")', "NotFound"),
        ('env.set("LOCKED", "x")', "PermissionDenied"),
        ('env.set("HOME_TOWN", "x")', "PermissionDenied"),
        ('env.set("FIXED", "x")', "PermissionDenied"),
        ('env.set("COLOUR", "a\\0b")', "Invalid"),
    ],
)
def test_refusals_have_their_kind(app: App, call: str, kind: str) -> None:
    assert app.run(f"local v, err = {call} return {{v = v, kind = err:kind()}}") == {"kind": kind}


@pytest.mark.parametrize("call", ["env.get(1)", "env.get()", 'env.set("COLOUR", 1)', 'env.set("COLOUR")'])
def test_arguments_of_the_wrong_type_raise(app: App, call: str) -> None:
    assert "string expected" in app.run(f"local ok, err = pcall(function() {call} end) return err")


def test_variables_can_be_read_at_the_top_level_of_a_script() -> None:
    reader = process("reader", "")
    reader["data"]["source"] = 'local town = require("env").get("town") return {main = function() return town end}'
    with App(*ENTRIES, reader) as app:
        assert app.rt.exec("app:reader", "app:here") == "Porto"


def test_bytes_that_are_no_text_are_unknown_variables(app: App) -> None:
    assert app.run('local v, err = env.get("\\xff\\xfe") return err:kind()') == "NotFound"


def test_the_entry_names_the_module_to_use_it(app: App) -> None:
    with pytest.raises(ProcessError, match="env"):
        app.run('return require("env")', modules=("time",))
