"""Files of ``KEY=VALUE`` lines, as ``env.storage.file`` keeps them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from registry.errors import INVALID, NOT_FOUND, UNAVAILABLE, RegistryError

# Guards the read-change-write of env files; two threads that set different keys must not lose one.
_writing = threading.Lock()


def read(path: str) -> dict[str, str]:
    """Return the values of a file; a missing one has none.

    Raises:
        RegistryError: kind Unavailable, when the file exists and cannot be read.
    """
    return dict(pair for line in _lines(path) if (pair := _pair(line)) is not None)


def write(data: Mapping[str, Any], key: str, value: str) -> None:
    """Set one key, keeping the other lines and comments; the file is replaced at once, never half written.

    Raises:
        RegistryError: kind NotFound, when the file is missing and `auto_create` is off; Invalid for a value with a
            line break; Unavailable, when the file cannot be written.
    """
    if "\n" in value or "\r" in value:
        raise RegistryError(f"the value of {key!r} has a line break, which a file storage cannot hold", kind=INVALID)
    path = str(data.get("file_path", ""))
    mode = data.get("file_mode")
    with _writing:
        try:
            existed = os.path.exists(path)
            if not existed:
                if data.get("auto_create") is not True:
                    raise RegistryError(f"the file {path!r} is missing; set auto_create to make it", kind=NOT_FOUND)
                os.makedirs(os.path.dirname(path) or ".", mode=int(data.get("dir_mode") or 0o755), exist_ok=True)
            lines = _lines(path)
            kept = [line for line in lines if (_pair(line) or ("",))[0] != key]
            place = next((at for at, line in enumerate(lines) if (_pair(line) or ("",))[0] == key), len(kept))
            kept.insert(place, f"{key}={value}")
            permissions = os.stat(path).st_mode & 0o777 if existed else int(mode or 0o644)
            _replace(path, "\n".join(kept) + "\n", permissions)
        except OSError as error:
            raise RegistryError(f"cannot write {path!r}: {error.strerror}", kind=UNAVAILABLE) from error


def _replace(path: str, text: str, permissions: int) -> None:
    temporary = f"{path}.{os.getpid()}.new"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, permissions)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, permissions)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RegistryError(f"cannot read {path!r}: {error}", kind=UNAVAILABLE) from error


def _pair(line: str) -> tuple[str, str] | None:
    key, equals, value = line.partition("=")
    key = key.strip()
    return (key, value.strip()) if equals and key and not key.startswith("#") else None
