"""From ``python://package.module:name`` to the function that it names."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registry.faults import nearest


class TargetError(Exception):
    """Raised when the target of an entry cannot be had: mend its ``source``, or the module that it names.

    Attributes:
        hint: what may have been meant; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Target:
    """A function of Python.

    Attributes:
        function: what is called. is_async: whether it is called on the event loop.
    """

    function: Callable[..., Any]
    is_async: bool


def find_target(source: str) -> Target:
    """Import the module of a target and return its function.

    Raises:
        TargetError: the import failed, the module has no such name, or it names nothing that can be called.
    """
    module_name, _, path = source.removeprefix("python://").partition(":")
    importlib.invalidate_caches()  # the module may have been written a moment ago
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a module does when it is imported
        raise TargetError(f"the import of {module_name!r} failed with {type(error).__name__}: {error}") from error
    at = f"module {module_name!r}"
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            names = [known for known in dir(found) if not known.startswith("_")]
            raise TargetError(f"{at} has no {name!r}", nearest(name, names)) from None
        at = f"{at[:-1]}.{name}'"
    if not callable(found):
        raise TargetError(f"{module_name}:{path} is a {type(found).__name__}, which cannot be called")
    is_async = inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(getattr(found, "__call__", None))  # noqa: B004
    return Target(found, is_async)
