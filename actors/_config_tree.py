"""Configuration values that remember which file and line they come from: parse, merge, substitute.

A tree is a dict of names to trees, or a `Leaf`. Lists are leaves: a later list replaces an earlier one. So are
empty maps, which would not know their line otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import yaml

from registry.errors import FaultsError
from registry.faults import Fault, Severity
from registry.values import map_texts


class ConfigError(FaultsError):
    """Raised when a configuration can't be used; `.faults` are all that is wrong with it, in the order of the files."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: a file and its line, or the flag that gave it and line 0."""

    file: str
    line: int = 0

    def fault(self, field: str, got: str, expected: str, hint: str = "") -> Fault:
        """Make the fault of a field that stands here."""
        return Fault(Severity.FAULT, self.file, self.line, "", field, got, expected, hint)

    def warning(self, field: str, text: str, hint: str = "") -> Fault:
        """Make the warning about a field that stands here."""
        return Fault(Severity.WARNING, self.file, self.line, "", field, text, "", hint)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is no map, and where it stands."""

    value: Any
    where: Place


Tree = dict[str, "Tree | Leaf"]

# `$${` is a literal `${`
_PLACEHOLDER = re.compile(r"\$(\$\{)|\$\{([^}]*)\}")


def parse(text: str, name: str) -> Tree:
    """Read the text of a YAML file called `name`.

    Raises:
        ConfigError: it is no YAML, or no map at its top.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError([Place(name, mark.line + 1 if mark else 1).fault("", problem, "valid YAML")]) from error
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        place = Place(name, node.start_mark.line + 1)
        raise ConfigError([place.fault("", "no map", "a map of sections")])
    tree = _tree(node, name, yaml.SafeLoader(""))
    return tree if isinstance(tree, dict) else {}


def _tree(node: yaml.Node, name: str, loader: yaml.SafeLoader) -> Tree | Leaf:
    where = Place(name, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        if not node.value:
            return Leaf({}, where)
        return {str(_value(key, where, loader)): _tree(value, name, loader) for key, value in node.value}
    return Leaf(_value(node, where, loader), where)


def _value(node: yaml.Node, where: Place, loader: yaml.SafeLoader) -> Any:
    try:
        return loader.construct_object(node, deep=True)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "an unreadable value"
        raise ConfigError([where.fault("", problem, "plain YAML values")]) from error


def merge(base: Tree, over: Tree) -> Tree:
    """Lay `over` over `base`, leaf by leaf; neither is changed."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, Leaf) and value.value == {}:
            continue
        merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def put(tree: Tree, path: list[str], leaf: Leaf) -> Tree:
    """Return `tree` with `leaf` at `path`, making the maps on the way."""
    nested: Tree | Leaf = leaf
    for key in reversed(path):
        nested = {key: nested}
    assert isinstance(nested, dict)
    return merge(tree, nested)


def get(tree: Tree, *path: str) -> Tree | Leaf | None:
    """Return what stands at `path`, or None."""
    found: Tree | Leaf | None = tree
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def plain(tree: Tree | Leaf) -> Any:
    """Return the values alone."""
    return {key: plain(value) for key, value in tree.items()} if isinstance(tree, dict) else tree.value


def where(tree: Tree | Leaf) -> Place:
    """Return where a tree stands: for a map, where its first leaf does."""
    while isinstance(tree, dict):
        tree = next(iter(tree.values()), Leaf(None, Place("the configuration")))
    return tree.where


def substitute(tree: Tree, environ: Mapping[str, str], variables: Mapping[str, Any], faults: list[Fault]) -> Tree:
    """Replace ``${env:NAME}`` by the environment's values and ``${name}`` by `variables`, in all texts but keys.

    A text that is one placeholder and nothing else becomes the variable's value with its type. What is unknown is
    added to `faults`.
    """

    def look_up(name: str, leaf: Leaf, path: str) -> Any:
        if name.startswith("env:"):
            if (value := environ.get(name[4:])) is not None:
                return value
            expected = f"the environment variable {name[4:]} to be set"
        elif name in variables:
            return variables[name]
        else:
            expected = f"{name!r} among vars ({', '.join(sorted(variables)) or 'there are none'})"
        faults.append(leaf.where.fault(path, f"${{{name}}}", expected))
        return ""

    def replaced(text: str, leaf: Leaf, path: str) -> Any:
        whole = _PLACEHOLDER.fullmatch(text)
        if whole and whole[2] is not None:
            return look_up(whole[2], leaf, path)
        return _PLACEHOLDER.sub(lambda found: found[1] or str(look_up(found[2], leaf, path)), text)

    def visit(node: Tree, prefix: str) -> Tree:
        done: Tree = {}
        for key, value in node.items():
            path = f"{prefix}.{key}" if prefix else key
            if isinstance(value, dict):
                done[key] = visit(value, path)
            else:
                done[key] = Leaf(map_texts(value.value, partial(replaced, leaf=value, path=path)), value.where)
        return done

    return visit(tree, "")
