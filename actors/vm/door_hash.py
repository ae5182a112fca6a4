"""Digests and base64 behind the door."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from typing import Final

from actors.errors import INVALID, ProcessError

_ALGORITHMS: Final = frozenset({"md5", "sha1", "sha256", "sha512"})


def _algorithm(name: bytes) -> str:
    text = name.decode(errors="replace")
    if text not in _ALGORITHMS:
        raise ProcessError(f"unknown hash {text!r} (want one of {', '.join(sorted(_ALGORITHMS))})", kind=INVALID)
    return text


def digest(algorithm: bytes, form: bytes, data: bytes) -> bytes:
    """Return the digest of `data`: as lower-case hex, or as it is when `form` is ``raw``."""
    made = hashlib.new(_algorithm(algorithm), data, usedforsecurity=False)
    return made.digest() if form == b"raw" else made.hexdigest().encode()


def keyed_digest(algorithm: bytes, form: bytes, data: bytes, secret: bytes) -> bytes:
    """Return the HMAC of `data` under `secret`, in the forms of `digest`."""
    made = hmac.digest(secret, data, _algorithm(algorithm))
    return made if form == b"raw" else made.hex().encode()


def base64_encode(data: bytes) -> bytes:
    """Return `data` in the standard alphabet with padding, without line breaks."""
    return binascii.b2a_base64(data, newline=False)


def base64_decode(text: bytes) -> bytes:
    """Return what `text` stands for; line breaks in it are ignored.

    Raises:
        ProcessError: a bad character or bad padding, kind Invalid.
    """
    plain = text.translate(None, b"\r\n")
    if len(plain) % 4:
        raise ProcessError("base64: bad padding, the length must be a multiple of four", kind=INVALID)
    try:
        return binascii.a2b_base64(plain, strict_mode=True)
    except binascii.Error as error:
        raise ProcessError(f"base64: {error}", kind=INVALID) from error
