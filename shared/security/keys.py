"""Keys for separate purposes, all derived from the root secrets of an installation.

An installation has one root secret in use, and accepts others while it moves from one to the next
(`docs/operations.md`, "Rotate secrets"): new things are made with the first, and what any of them
made is still opened and believed.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self, TypeAlias

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SHORTEST_KEY = 32


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The root secret in use, and the others that are accepted."""

    current: str = field(repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, current: str, others: str = "") -> Self:
        """A ring from the texts of the environment; `others` are separated by commas.

        Raises ValueError when a key is too short.
        """
        more = tuple(key.strip() for key in others.split(",") if key.strip())
        if any(len(key) < SHORTEST_KEY for key in (current, *more)):
            raise ValueError(f"a secret key has {SHORTEST_KEY} characters or more")
        return cls(current, tuple(key for key in more if key != current))

    @property
    def all(self) -> tuple[str, ...]:
        """Every root secret, the one in use first."""
        return (self.current, *self.others)


RootKey: TypeAlias = str | KeyRing


def root_secrets(root: RootKey) -> tuple[str, ...]:
    """The root secrets of a ring, or the only one there is, the one in use first."""
    return (root,) if isinstance(root, str) else root.all


@lru_cache(maxsize=256)
def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(
        secret.encode()
    )


def derive_key(root: RootKey, purpose: str) -> bytes:
    """32 bytes bound to `purpose` (HKDF-SHA256, RFC 5869); one purpose says nothing of another.

    Of the secret in use: what new things are made with.
    """
    return _derive(root_secrets(root)[0], purpose)


def derive_keys(root: RootKey, purpose: str) -> tuple[bytes, ...]:
    """The keys of every root secret for `purpose`, the one in use first: what is believed."""
    return tuple(_derive(secret, purpose) for secret in root_secrets(root))


def derive_password(root: RootKey, role: str) -> str:
    """The database password of a login role, so that no password file has to be kept."""
    return derive_passwords(root, role)[0]


def derive_passwords(root: RootKey, role: str) -> tuple[str, ...]:
    """The passwords that a role may have while the root secret changes, the newest first."""
    keys = derive_keys(root, f"role:{role}")
    return tuple(base64.urlsafe_b64encode(key).decode().rstrip("=") for key in keys)


def key_fingerprint(secret: str) -> str:
    """Tells root secrets apart without telling anything of them: 16 hexadecimal digits."""
    return hashlib.sha256(_derive(secret, "fingerprint")).hexdigest()[:16]


class SecretBox:
    """Encrypts secrets at rest (Fernet: AES-128-CBC with HMAC-SHA256, authenticated)."""

    def __init__(self, root: RootKey) -> None:
        keys = derive_keys(root, "connection-secrets")
        fernets = [Fernet(base64.urlsafe_b64encode(key)) for key in keys]
        self._current, self._ring = fernets[0], MultiFernet(fernets)

    def seal(self, secret: dict[str, str]) -> str:
        """The secret as opaque text that only the same installation can open."""
        return self._current.encrypt(json.dumps(secret).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        """The secret again. Raises ValueError when sealed by another installation or altered."""
        try:
            opened: dict[str, str] = json.loads(self._ring.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise ValueError("sealed with another CARELOOP_SECRET_KEY, or altered") from error
        return opened

    def is_current(self, sealed: str) -> bool:
        """Whether the secret in use sealed it, so that nothing is left to renew."""
        try:
            self._current.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def renew(self, sealed: str) -> str:
        """The same secret, sealed with the root secret in use. Raises ValueError as `open`."""
        try:
            return self._ring.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise ValueError("sealed with another CARELOOP_SECRET_KEY, or altered") from error
