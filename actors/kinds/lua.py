"""The kinds that hold Lua: processes, functions, workflows and libraries (spec registry.md §10.1)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from actors.kinds.fields import Expect, Spec, Text
from actors.kinds.modules import check_names
from registry import Problem


def _main_if_empty(value: str) -> str:
    return value or "main"


class MailboxSpec(Spec):
    """A bound for the mailbox of a process; a limit of 0 means none (spec processes.md §5)."""

    limit: int = Field(default=0, ge=0)
    overflow: Literal["fail", "drop_oldest", "drop_newest"] = "fail"


class PoolSpec(Spec):
    """How many calls of a function run at once; `type` None leaves the choice to the runtime."""

    type: Literal["inline", "lazy", "static", "adaptive"] | None = None
    workers: int = Field(default=0, ge=0)
    size: int = Field(default=0, ge=0)
    buffer: int = Field(default=0, ge=0)
    max_size: int = Field(default=0, ge=0)
    warm_start: bool = False


class LibraryLuaSpec(Spec):
    """``library.lua``; also what all Lua kinds have.

    Attributes:
        source: the Lua text.
        modules: the built-in modules that it uses.
        imports: alias to the id of a Lua entry, or to a built-in module (no colon).
    """

    source: Annotated[Text, Expect("Lua text or 'file://…'")]
    modules: list[str] = Field(default_factory=list)
    imports: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def faults(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield unknown, doubled and ambiguous names of modules and imports."""
        return check_names(data)


class ProcessLuaSpec(LibraryLuaSpec):
    """``process.lua``; without a mailbox of its own it has that of its host."""

    method: Annotated[str, AfterValidator(_main_if_empty)] = "main"
    mailbox: MailboxSpec | None = None


class WorkflowLuaSpec(LibraryLuaSpec):
    """``workflow.lua``."""

    method: Annotated[str, AfterValidator(_main_if_empty)] = "main"


class FunctionLuaSpec(LibraryLuaSpec):
    """``function.lua``."""

    method: Annotated[Text, Expect("the name of a function that the script returns")]
    pool: PoolSpec = PoolSpec.model_construct()
