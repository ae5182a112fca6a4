"""The lock file of an app folder, as far as loading needs it: where the sources are."""

from __future__ import annotations

import os
from typing import Any, Final

from registry._documents import DocumentError, read_yaml
from registry.faults import Fault, Severity, shown

LOCK_FILE: Final = "wippy.lock"


def source_root(path: str, lock_file: str | None) -> tuple[str, list[Fault]]:
    """Return the source directory of an app folder, as the user would type it, and what is wrong with it.

    Without a lock file it is ``path/src`` when that exists, else `path` (spec cli.md, deviation).
    """
    if not os.path.isdir(path):
        got = "a file" if os.path.exists(path) else "no such folder"
        return path, [_fault(path, 0, "", got, "the folder of an app")]
    lock = os.path.normpath(os.path.join(path, lock_file or LOCK_FILE))
    if os.path.isfile(lock):
        return _from_lock(path, lock)
    if lock_file is not None:
        return path, [_fault(lock, 0, "", "no such file", "a lock file")]
    source = os.path.join(path, "src")
    return os.path.normpath(source if os.path.isdir(source) else path), []


def _from_lock(path: str, lock: str) -> tuple[str, list[Fault]]:
    try:
        with open(lock, encoding="utf-8-sig") as stream:
            value, place = read_yaml(stream.read(), lambda text, _: text)
    except (OSError, UnicodeDecodeError) as error:
        return path, [_fault(lock, 0, "", str(error), "a readable lock file")]
    except DocumentError as error:
        return path, [_fault(lock, error.line, "", error.problem, "")]
    directories: Any = value.get("directories") if isinstance(value, dict) else value
    if directories is None:
        directories = {}
    if not isinstance(directories, dict):
        line = place.at(("directories",)).line
        return path, [_fault(lock, line, "directories", shown(directories), "a map of directories")]
    source = directories.get("src")
    line = place.at(("directories", "src")).line
    if source is None:
        source = "./src"
    if not isinstance(source, str) or not source.strip():
        return path, [_fault(lock, line, "directories.src", shown(source), "the path of a directory")]
    root = os.path.normpath(os.path.join(path, source))
    if root == os.path.normpath(path):
        return path, [
            _fault(lock, line, "directories.src", "the app folder itself", "a directory below it, such as ./src")
        ]
    if not os.path.isdir(root):
        return path, [_fault(lock, line, "directories.src", repr(source), "a directory that exists")]
    return root, []


def _fault(file: str, line: int, field: str, got: str, expected: str) -> Fault:
    return Fault(Severity.FAULT, file, line, "", field, got, expected)
