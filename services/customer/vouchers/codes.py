"""Codes that people can read to each other and nobody can guess."""

import secrets
from typing import Final

# Without what looks or sounds alike: 0 and O, 1, I and L.
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_LENGTH: Final = 10


def new_code(prefix: str = "", *, length: int = _LENGTH) -> str:
    """A random code behind a prefix: ten characters are 8 * 10^14 possibilities."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def normalised(code: str) -> str:
    """The code as it is kept, however somebody typed it."""
    return "".join(code.split()).upper()
