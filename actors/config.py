"""The configuration of a program: `.wippy.yaml`, profiles, `--set`, overrides of entries (spec cli.md §5).

`load_config` reads and checks everything once, and tells all faults at once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from actors._config_tree import ConfigError, Leaf, Place, Tree, get, merge, parse, plain, put, substitute, where
from registry.durations import parse_duration
from registry.errors import RegistryError
from registry.faults import Fault, nearest, one_of, shown
from registry.overrides import parse_override, plain_value

__all__ = ["Config", "ConfigError", "Encoding", "History", "load_config"]

log = logging.getLogger(__name__)

CONFIG_NAME: Final = ".wippy.yaml"


class Encoding(Enum):
    """How log records are written."""

    CONSOLE = "console"
    JSON = "json"


class History(Enum):
    """Where the registry keeps its versions."""

    MEMORY = "memory"
    SQLITE = "sqlite"
    NONE = "nil"


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration says, checked; durations are seconds.

    Attributes:
        base: the folder that relative paths refer to: that of the first file.
        log_level: Python's level number for the console.
        disable: patterns such as ``legacy.**`` under ``namespaces``, ``shop:old_*`` under ``entries``, as
            `registry.Registry.load` takes them.
        overrides: ``namespace:name:path`` -> value, in the order in which they apply, likewise.
        warnings: unknown keys.
    """

    base: Path
    log_encoding: Encoding = Encoding.CONSOLE
    log_level: int = logging.INFO
    log_to_events: bool = False
    log_downstream: bool = True
    history: History = History.MEMORY
    history_path: str | None = None
    shutdown_timeout: float = 30.0
    node_name: str = ""
    strict_security: bool = False
    disable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Fault, ...] = ()


def load_config(
    app: str | os.PathLike[str],
    *,
    files: Sequence[str | os.PathLike[str]] = (),
    profiles: Sequence[str] = (),
    settings: Sequence[str] = (),
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Config:
    """Read the configuration of the app in folder `app`.

    Args:
        files: configuration files, later ones over earlier ones; they must exist. Without any, `.wippy.yaml` in the
            app folder, if it is there.
        profiles: names of ``profiles`` to lay over the files, in order.
        settings: texts ``section.path=value`` to lay over that, as ``--set`` gives them.
        overrides: texts ``namespace:name:path=value``, as ``-o`` gives them; over those of the files.
        environ: where ``${env:NAME}`` is looked up.

    Raises:
        ConfigError: with all faults.
    """
    faults: list[Fault] = []
    warnings: list[Fault] = []
    tree: Tree = {}
    default = Path(app) / CONFIG_NAME
    named = [Path(file) for file in files] or ([default] if default.is_file() else [])
    for file in named:
        try:
            tree = merge(tree, parse(file.read_text(encoding="utf-8"), str(file)))
        except ConfigError as error:
            faults += error.faults
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "bytes that are no UTF-8"
            faults.append(Place(str(file)).fault("", str(reason), "a readable configuration file"))
    for name in profiles:
        tree = _with_profile(tree, name, faults)
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not all(key.split(".")):
            faults.append(Place(f"--set {text}").fault("", repr(key), "section.path=value"))
        else:
            tree = put(tree, key.split("."), Leaf(plain_value(value), Place(f"--set {text}")))
    tree.pop("profiles", None)
    own_variables = tree.pop("vars", {})
    variables = substitute(own_variables, environ, {}, faults) if isinstance(own_variables, dict) else {}
    tree = substitute(tree, environ, plain(variables), faults)
    values = _check(tree, faults, warnings)
    changes = {**_file_overrides(tree, faults), **_text_overrides(overrides, faults)}
    if faults:
        raise ConfigError(faults)
    base = named[0].parent if named else Path(app)
    return Config(base=base, overrides=changes, warnings=tuple(warnings), **values)


def _with_profile(tree: Tree, name: str, faults: list[Fault]) -> Tree:
    known = get(tree, "profiles")
    names = list(known) if isinstance(known, dict) else []
    profile = get(tree, "profiles", name)
    if not isinstance(profile, dict):
        expected = one_of(sorted(names)) if names else "none: the configuration has no profiles"
        faults.append(Place(f"--profile {name}").fault("", repr(name), expected, nearest(name, names)))
        return tree
    edited = dict(profile)
    disable = profile.get("disable")
    if isinstance(disable, dict):
        edited["disable"] = {key: _edited_list(tree, key, change) for key, change in disable.items()}
    return merge(tree, edited)


def _edited_list(tree: Tree, key: str, change: Tree | Leaf) -> Tree | Leaf:
    """Apply the ``add`` and ``remove`` of a profile to a list of ``disable``."""
    if not isinstance(change, dict):
        return change
    base = get(tree, "disable", key)
    listed = list(base.value) if isinstance(base, Leaf) and isinstance(base.value, list) else []
    edits = {edit: plain(value) for edit, value in change.items()}
    if set(edits) - {"add", "remove"} or not all(isinstance(value, list) for value in edits.values()):
        return Leaf(edits, where(change))  # refused with the section
    removed = edits.get("remove", [])
    return Leaf([item for item in listed if item not in removed] + edits.get("add", []), where(change))


_Check = Callable[[Any], Any]


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a whole number from 0")
    return value


def _patterns(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of patterns such as legacy.**")
    return tuple(value)


def _choice(options: type[Enum]) -> _Check:
    def check(value: Any) -> Enum:
        try:
            return options(value)
        except ValueError:
            raise ValueError(one_of(str(option.value) for option in options)) from None

    return check


def _level(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -1 <= value <= 2:
        raise ValueError("-1 (debug), 0 (info), 1 (warn) or 2 (error)")
    return (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)[value + 1]


def _duration(value: Any) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError:
        seconds = -1.0
    if seconds < 0:
        raise ValueError('a duration such as "500ms", "30s" or "1h30m"')
    return seconds


def _version(value: Any) -> None:
    if str(value) != "1.0":
        raise ValueError('"1.0"')


# what each field must be, and the attribute of Config that it becomes
_FIELDS: Final[dict[str, tuple[str | None, _Check]]] = {
    "version": (None, _version),
    "logger.encoding": ("log_encoding", _choice(Encoding)),
    "logmanager.min_level": ("log_level", _level),
    "logmanager.propagate_downstream": ("log_downstream", _boolean),
    "logmanager.stream_to_events": ("log_to_events", _boolean),
    "registry.enable_history": (None, _boolean),
    "registry.history_type": ("history", _choice(History)),
    "registry.history_path": ("history_path", _text),
    "shutdown.timeout": ("shutdown_timeout", _duration),
    "relay.node_name": ("node_name", _text),
    "security.strict_mode": ("strict_security", _boolean),
    "disable.namespaces": ("namespaces", _patterns),
    "disable.entries": ("entries", _patterns),
    "supervisor.host.buffer_size": (None, _count),
    "supervisor.host.worker_count": (None, _count),
}
_SECTIONS: Final = {path.partition(".")[0] for path in _FIELDS} | {"override", "vars", "profiles"}


def _check(tree: Tree, faults: list[Fault], warnings: list[Fault]) -> dict[str, Any]:
    """Check all sections, and return the attributes of `Config` that they set."""
    values: dict[str, Any] = {}
    told = {(fault.file, fault.line, fault.field) for fault in faults}  # unknown placeholders: say no more of them

    def check(path: str, node: Tree | Leaf) -> None:
        place = where(node)
        if (place.file, place.line, path) in told:
            return
        if path in _FIELDS:
            attribute, check_value = _FIELDS[path]
            value = plain(node)
            try:
                checked = check_value(value)
            except ValueError as error:
                faults.append(place.fault(path, shown(value), str(error)))
                return
            if attribute is not None:
                values[attribute] = checked
        elif not any(known.startswith(f"{path}.") for known in _FIELDS):
            warnings.append(place.warning(path, "unknown key, ignored", nearest(path, _FIELDS)))
        elif isinstance(node, dict):
            for key, below in node.items():
                check(f"{path}.{key}", below)
        elif node.value is not None and node.value != {}:
            faults.append(place.fault(path, shown(node.value), "a map"))

    for section, node in tree.items():
        if section in _SECTIONS:
            if section != "override":
                check(section, node)
        elif hint := nearest(section, _SECTIONS):
            warnings.append(where(node).warning(section, "unknown section, ignored", hint))
        else:
            log.debug("%s: the section %s has no effect here", where(node).file, section)
    values["disable"] = {key: values.pop(key) for key in ("namespaces", "entries") if key in values}
    if (enabled := get(tree, "registry", "enable_history")) is not None and plain(enabled) is False:
        values["history"] = History.NONE
    return values


def _file_overrides(tree: Tree, faults: list[Fault]) -> dict[str, Any]:
    section = tree.get("override", {})
    if isinstance(section, Leaf):
        if section.value is not None and section.value != {}:
            faults.append(section.where.fault("override", shown(section.value), "a map"))
        return {}
    changes: dict[str, Any] = {}
    for key, node in section.items():
        parts = key.split(":", 2)
        if len(parts) != 3 or not all(parts) or not all(parts[2].split(".")):
            expected = "namespace:name:path, such as shop:procs:host.workers"
            faults.append(where(node).fault(f"override.{key}", repr(key), expected))
        changes[key] = plain(node)
    return changes


def _text_overrides(texts: Sequence[str], faults: list[Fault]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for text in texts:
        try:
            key, value = parse_override(text)
        except RegistryError:
            faults.append(Place(f"-o {text}").fault("", repr(text), "namespace:name:path=value"))
            continue
        changes.pop(key, None)  # the last one counts, and in its place
        changes[key] = value
    return changes
