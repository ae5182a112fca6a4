"""The kinds of the environment: variables and their storages (spec registry.md §10.8)."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from actors.kinds.fields import Expect, Ref, Spec, Text, mistake
from registry import Problem

_PUBLIC_NAME: Final = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


def _public_name(value: str) -> str:
    if value and not _PUBLIC_NAME.fullmatch(value):
        raise mistake("a name of letters, digits and '_'")
    return value


class EmptySpec(Spec):
    """A kind without fields: ``env.storage.memory`` and ``env.storage.os``."""


class EnvStaticSpec(Spec):
    """``env.storage.static``."""

    values: dict[str, str] = Field(default_factory=dict)


class EnvFileSpec(Spec):
    """``env.storage.file``; modes as numbers, which YAML writes octal: ``0644``."""

    file_path: Annotated[Text, Expect("the path of a file")]
    auto_create: bool = False
    file_mode: int = Field(default=0o644, ge=0, le=0o7777)
    dir_mode: int = Field(default=0o755, ge=0, le=0o7777)


class EnvRouterSpec(Spec):
    """``env.storage.router``: reads from the first storage that has the key, writes to the first one."""

    storages: list[Ref]

    @classmethod
    def faults(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield an empty list."""
        if data.get("storages") == []:
            yield Problem(("storages",), "an empty list", "at least one storage")


class EnvVariableSpec(Spec):
    """``env.variable``; without a public name it is reached by its id alone."""

    variable: Annotated[str, AfterValidator(_public_name)] = ""
    storage: Annotated[Ref, Expect("the id of an env.storage.* entry")]
    default: str = ""
    readonly: bool = False
