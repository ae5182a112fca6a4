"""A JSON Schema of the files that define entries, made from the models of the kinds, for editors."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

from actors.kinds import CATALOG, KindInfo
from actors.kinds.fields import Spec
from actors.kinds.modules import KNOWN
from registry import format_duration

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLACEHOLDER: Final = r"\$\{"
_NUMBERS: Final = ("integer", "number", "boolean")
_COMMANDS: Final = ("process.lua", "process.python")
_FREE: Final = ("namespace", "version", "requirements")  # what a file with a single entry has beside it

# fields that may be written shorter than they are: definition, field -> what else is accepted
_SHORT: Final = {
    ("PolicySpec", "actions"): {"type": "string"},
    ("PolicySpec", "resources"): {"type": "string"},
}

_META: Final[Schema] = {
    "description": "Free data about the entry, for search; these keys mean something to the runtime and its tools.",
    "type": ["object", "null"],
    "properties": {
        "title": {"description": "What tools show."},
        "comment": {"description": "What tools show."},
        "depends_on": {
            "description": "Entries that are applied before this one.",
            "type": ["array", "null"],
            "items": {"type": "string"},
        },
        "type": {"description": "`test` marks a function as a test for `tutela test`."},
        "suite": {"description": "The suite of a test."},
        "name": {"description": "What is shown for a test instead of its id."},
        "order": {"description": "Where a test stands in its suite, a number."},
        "timeout": {"description": "How long a test may take, such as '5s'; 60s otherwise."},
    },
}
_PROCESS_META: Final[Schema] = {
    "properties": {
        "default_host": {
            "description": "The host on which calls of this process as a function run.",
            "type": ["string", "null"],
        },
        "command": {
            "description": "Makes the process a command: `tutela run PATH NAME`.",
            "type": ["object", "null"],
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "pattern": r"\S", "description": "The name of the command."},
                "short": {"type": ["string", "null"], "description": "One line for `tutela run PATH list`."},
                "use_case": {
                    "type": ["string", "null"],
                    "description": "`run` (the default), or `test` for a test runner.",
                },
                "main": {"type": ["boolean", "null"], "description": "The default command of a package."},
            },
        },
    },
}


def index_schema() -> Schema:
    """Return the schema (draft 2020-12) of one file of definitions: a list of entries, or a single one."""
    definitions: Schema = {"meta": _META, "process_meta": _PROCESS_META}
    choices = []
    for kind in CATALOG.values():
        definitions[kind.name] = _kind(kind, definitions)
        # of an entry with a `data` key that value alone counts
        wrapped = {"properties": {"data": {"$ref": f"#/$defs/{kind.name}"}}}
        choices.append(
            {
                "if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
                "then": {
                    "if": {"required": ["data"]},
                    "then": wrapped,
                    "else": {"$ref": f"#/$defs/{kind.name}"},
                },
            }
        )
    definitions["entry"] = {
        "type": "object",
        "required": ["name", "kind"],
        "properties": {
            "name": {
                "type": "string",
                "pattern": r"\S",
                "description": "With the namespace of the file the id: namespace:name.",
            },
            "kind": {"enum": list(CATALOG), "description": "What the entry is; the other fields depend on it."},
            "meta": {"$ref": "#/$defs/meta"},
        },
        "allOf": choices,
    }
    return {
        "$schema": _DIALECT,
        "title": "Entries of a Tutela app",
        "type": "object",
        "required": ["namespace"],
        "properties": {
            "version": {"type": ["string", "null"], "description": "The version of the format, '1.0'."},
            "namespace": {
                "type": "string",
                "pattern": r"\S",
                "description": "The namespace of all entries of this file.",
            },
            "meta": {"$ref": "#/$defs/meta"},
        },
        "if": {"required": ["entries"]},
        "then": {"properties": {"entries": {"type": "array", "items": {"$ref": "#/$defs/entry"}}}},
        "else": {"$ref": "#/$defs/entry"},
        "$defs": definitions,
    }


def _kind(kind: KindInfo, definitions: Schema) -> Schema:
    """Return the schema of an entry of one kind, written flat; add what it refers to."""
    meta = {"properties": {"meta": {"$ref": "#/$defs/process_meta"}}} if kind.name in _COMMANDS else {}
    model = kind.model
    if model is None:
        return {"type": "object", **meta}
    schema = model.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    for name, part in schema.pop("$defs", {}).items():
        definitions[name] = _object(part, _models(model)[name])
    made = _object(schema, model)
    known = {name: True for name in ("name", "kind", "meta", *_FREE) if name not in made["properties"]}
    made["properties"] = {**made["properties"], **known, **meta.get("properties", {})}
    return made


def _models(model: type[Spec]) -> dict[str, type[Spec]]:
    """Return all models that the fields of a model lead to, by name."""
    found: dict[str, type[Spec]] = {}
    work: list[Any] = [model]
    while work:
        annotation = work.pop()
        if inspect.isclass(annotation) and issubclass(annotation, Spec):
            if annotation.__name__ not in found:
                found[annotation.__name__] = annotation
                work += [field.annotation for field in annotation.model_fields.values()]
        else:
            work += list(getattr(annotation, "__args__", ()))
    return found


def _object(schema: Schema, model: type[Spec]) -> Schema:
    """Turn what pydantic makes of a model into what people may write, and describe it."""
    told = _described(model)
    required = schema.get("required", [])
    properties = {}
    for name, field in schema.get("properties", {}).items():
        value = _field(field, optional=name not in required)
        if (model.__name__, name) in _SHORT:
            value = {"anyOf": [_SHORT[model.__name__, name], value]}
        if name == "modules":
            value["items"] = {"enum": sorted(KNOWN)}
        if name in told:
            value["description"] = told[name]
        properties[name] = value
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        made["required"] = required
    if told.get(""):
        made["description"] = told[""]
    return made


def _field(field: Schema, optional: bool = False) -> Schema:
    made = {key: value for key, value in field.items() if key not in ("title", "default")}
    default = field.get("default")
    if "pattern" in made:
        # a duration; a placeholder that stands for one is as good
        made["pattern"] = f"{made['pattern']}|{_PLACEHOLDER}"
        default = format_duration(default) if isinstance(default, int | float) else default
    elif made.get("type") in _NUMBERS:
        made["type"] = [made["type"], "string"]
        made["pattern"] = _PLACEHOLDER
    elif "enum" in made:
        made = {"anyOf": [{"enum": made["enum"]}, {"type": "string", "pattern": _PLACEHOLDER}]}
    if "anyOf" in made and "enum" not in made["anyOf"][0]:
        made["anyOf"] = [_field(choice) for choice in made["anyOf"]]
    if "items" in made:
        made["items"] = _short_child(_field(made["items"]))
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = _field(made["additionalProperties"])
    if isinstance(default, str | int | float) and default != "":
        made["default"] = default
    return _or_null(made) if optional else made


def _short_child(items: Schema) -> Schema:
    # a child of a supervisor that is written as its id
    if items.get("$ref") == "#/$defs/ChildSpec":
        return {"anyOf": [{"type": "string"}, items]}
    return items


def _or_null(schema: Schema) -> Schema:
    """Accept null, which counts as missing."""
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": [*types, "null"]} if "null" not in types else schema
    if "$ref" in schema:
        reference = schema.pop("$ref")
        return {**schema, "anyOf": [{"$ref": reference}, {"type": "null"}]}
    if "anyOf" in schema and {"type": "null"} not in schema["anyOf"]:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema


_SPEC: Final = re.compile(r" ?\(spec [^)]*\)")  # who edits a file has not got it at hand
_ATTRIBUTE: Final = re.compile(r"(\w+(?:, \w+)*): (.+)")


def _described(model: type[Spec]) -> dict[str, str]:
    """Read docstrings: the text about a model under "", and those of its fields (``Attributes:``) by name."""
    told: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not issubclass(base, Spec) or base is Spec or not base.__dict__.get("__doc__"):
            continue
        text, _, attributes = inspect.cleandoc(base.__dict__["__doc__"]).partition("Attributes:\n")
        told[""] = _SPEC.sub("", " ".join(text.replace("``", "`").split()))
        field = ""
        for line in attributes.splitlines():
            found = _ATTRIBUTE.match(line.strip())
            if found is not None and not line.startswith("        "):
                names, field = found[1].split(", "), found[2]
                told.update(dict.fromkeys(names, field))
            elif line.strip():
                told.update({name: f"{told[name]} {line.strip()}" for name in names})
    return told
